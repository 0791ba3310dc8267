"""Words for the codes of an import: what a warning means, why two records may be one person."""

from __future__ import annotations

from collections.abc import Iterable

from crisisdesk.i18n import N_, _

CODES = {
    "birth_date_missing": N_("no birth date"),
    "birth_date_in_future": N_("birth date after the appointment or after today: not kept"),
    "birth_century_guessed": N_("the century of the birth year is a guess"),
    "control_characters_removed": N_("control characters were removed"),
    "date_missing": N_("no appointment date"),
    "date_out_of_range": N_("a date outside any sense: not kept"),
    "date_unreadable": N_("a date that cannot be read: not kept"),
    "duplicate_of": N_("the same item stands higher in the file"),
    "first_name_missing": N_("only one name"),
    "invisible_characters_removed": N_("invisible characters were removed"),
    "name_split_guessed": N_("family and first name told apart by a guess"),
    "niss_birth_date_mismatch": N_("the national number says another birth date"),
    "niss_check_failed": N_("wrong check digits in the national number: not kept"),
    "niss_unreadable": N_("the national number cannot be read: not kept"),
    "phone_country_guessed": N_("telephone valid in another country only: a guess"),
    "phone_foreign": N_("foreign telephone"),
    "phone_missing": N_("no telephone"),
    "phone_unusable": N_("a telephone that cannot be used"),
    "priority_unknown": N_("the priority is no P code: not kept"),
    "time_unreadable": N_("the hour cannot be read: not kept"),
    "birth_date_from_niss": N_("the national number tells the birth date"),
    "contact_restriction_mentioned": N_("the remark limits how to reach the patient"),
    "deceased_mentioned": N_("the remark says that the patient has died"),
    "formula_like_text": N_("text that a spreadsheet would run"),
    "lossy_name": N_("letters lost in the name ('?')"),
    "markup_like_text": N_("text that looks like markup"),
    "niss_is_bis": N_("bis number"),
    "niss_leading_zero_restored": N_("zero put back in front of the national number"),
    "phone_shared": N_("telephone shared with another person"),
    "placeholder_value": N_("a sign instead of an empty cell"),
    "title_removed": N_("title removed from the name"),
    "columns_mismatch": N_("too few or too many cells"),
    "name_missing": N_("no name and no national number"),
    "blank_row": N_("blank line"),
    "header_row": N_("header"),
    "repeated_header": N_("header again"),
    "section_row": N_("heading inside the list"),
    "title_row": N_("title"),
    "total_row": N_("total line"),
    "sheet_ignored": N_("a sheet without a list was left out"),
    "total_mismatch": N_("the list's own total differs from the rows found: part of the list may be missing"),
}
WHY = {
    "same_niss": N_("same national number"),
    "same_name": N_("same name"),
    "close_name": N_("nearly the same name"),
    "same_birth_date": N_("same birth date"),
    "close_birth_date": N_("birth date one slip apart"),
    "same_phone": N_("same telephone"),
    "same_item_earlier": N_("same item in the earlier version of the list"),
}

SHORT_WHY = {
    "same_niss": N_("nat. no."),
    "same_name": N_("name"),
    "close_name": N_("about the name"),
    "same_birth_date": N_("born"),
    "close_birth_date": N_("about the birth"),
    "same_phone": N_("phone"),
    "same_item_earlier": N_("item"),
}


def code_words(code: str) -> str:
    """Give the words of a code, in the agent's language."""
    return _(CODES.get(code, code))


def short_why(codes: Iterable[str]) -> str:
    """Give the reasons of a proposal in as few words as a column has room for."""
    return " + ".join(_(SHORT_WHY.get(code, code)) for code in codes)


def why_words(codes: Iterable[str]) -> str:
    """Give the reasons of a link or a proposal in words, in the agent's language."""
    return ", ".join(_(WHY.get(code, code)) for code in codes)
