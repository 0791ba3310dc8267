"""What a callback's card says, as lines of text."""

from collections.abc import Sequence

from textual.content import Content

from crisisdesk.desk.callbacks import about_words
from crisisdesk.desk.cards import CallbackCard, HeldItem
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Disposition
from crisisdesk.i18n import _, labelled
from crisisdesk.ui.format import show_age, show_date, show_day, show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session

GRID_CELLS = 26


# Three lines a digit, of characters that every terminal font has.
_LARGE = {
    "0": ("┌─┐", "│ │", "└─┘"), "1": (" ┐ ", " │ ", " ┴ "), "2": ("╶─┐", "┌─┘", "└─╴"), "3": ("╶─┐", " ─┤", "╶─┘"),
    "4": ("╷ ╷", "└─┤", "  ╵"), "5": ("┌─╴", "└─┐", "╶─┘"), "6": ("┌─╴", "├─┐", "└─┘"), "7": ("╶─┐", "  │", "  ╵"),
    "8": ("┌─┐", "├─┤", "└─┘"), "9": ("┌─┐", "└─┤", "╶─┘"), "+": ("   ", "╶┼╴", "   "), " ": (" ", " ", " "),
}  # fmt: skip


def large_number(card: CallbackCard, session: Session, width: int) -> str:
    """The number to ring, three lines high, grouped as people say it aloud; one spaced line where it has no room."""
    number = show_phone(card.number, session)
    if not number:
        return _("No number is known: search one, or F12")
    if len(number) * 4 > width or session.settings.basic or any(sign not in _LARGE for sign in number):
        return "   ".join(" ".join(group) for group in number.split(" "))
    return "\n".join(" ".join(_LARGE[sign][row] for sign in number) for row in range(3))


def who_lines(card: CallbackCard, session: Session) -> Content:
    """Who to ask for."""
    language = session.label("language", card.language) if card.language else ""
    facts = [show_date(card.birth_on), show_age(card.birth_on, session), language]
    known = " · ".join(fact for fact in facts if fact) or _("date of birth unknown")
    return Content.assemble(
        (_("Ask for"), "$text-muted"), "\n", inert(card.patient, 50, tone="bold"), "\n",
        inert(known, 60), " ", inert(card.contact_note, 40),
    )  # fmt: skip


def why_line(card: CallbackCard) -> Content:
    """Why this patient now."""
    tried = _("attempts: {count}").format(count=card.attempts)
    return Content.assemble((_("Why here  "), "$text-muted"), inert(card.why_here), (f"   {tried}", "$text-muted"))


def held_words(lease: Lease, session: Session) -> str:
    """How long the patient is this agent's alone."""
    return _("Held for you until {time}; typing keeps it.").format(time=show_moment(lease.until, session))


def card_lines(card: CallbackCard, session: Session) -> Content:
    """What was put off and what can be offered; the first words; what may be left on a machine."""
    parts: list[Content | tuple[str, str] | str] = []
    for place, item in enumerate(card.items, 1):
        parts += [*_item(place, item, card, session), "\n"]
    if card.note or card.promised_until:
        promised = show_moment(card.promised_until, session)
        until = _("promised until {moment}").format(moment=promised) if promised else ""
        parts += [(_("Wish  "), "$text-muted"), inert(f"{card.note} {until}", tone="bold"), "\n"]
    parts += [inert(card.voicemail_words, tone="$warning"), "\n"]
    for line in card.script:
        parts += [("» ", "$text-muted"), inert(line), "\n"]
    if not card.proof:
        parts += [(_("No proof words were agreed: ask the date of birth, disclose nothing before."), "$warning"), "\n"]
    for number in card.numbers[1:]:
        shown = show_phone(number.number, session)
        wrong = _("found wrong") if number.is_wrong else number.comment
        parts += [(_("Other number  "), "$text-muted"), inert(f"{shown} {wrong}"), "\n"]
    for other in card.others:
        words = _("Also waits for {site}").format(site=session.site_name(other.site_id))
        parts += [inert(words, tone="bold"), "\n"]
    return Content.assemble(*parts)


def _item(place: int, item: HeldItem, card: CallbackCard, session: Session) -> list[Content | tuple[str, str] | str]:
    settled = "" if item.is_unsettled else " ✓"
    told = show_day(item.told_on)
    words = f"{place} {about_words(item, session.reference)}{settled}"
    facts = [show_date(item.original_on) or _("date unknown"), item.priority or _("uncoded"), item.clinician]
    facts += [_("told {day}").format(day=told)] if told else []
    lines: list[Content | tuple[str, str] | str] = [
        inert(words, 120, tone="bold"), "  ", inert(" · ".join(fact for fact in facts if fact)),
    ]  # fmt: skip
    slots = card.offers.get(item.postponement_id, ())
    if slots:
        offered = [f"{number}) {show_day(slot.slot_on)}" for number, slot in enumerate(slots, 1)]
        lines += ["\n  ", inert("  ".join(offered), tone="bold $accent")]
    elif item.is_unsettled:
        lines += ["\n  ", (_("No place can be offered yet"), "$text-muted")]
    return lines


def history_lines(card: CallbackCard, session: Session) -> Content:
    """The instruction in force, then what was said and tried, newest first."""
    parts: list[Content | tuple[str, str] | str] = []
    if card.instruction is not None:
        head = _("Instruction, version {version}").format(version=card.instruction.version)
        parts += [inert(head, tone="bold"), "\n", inert(card.instruction.words, 600), "\n"]
    parts += [(_("Said before"), "bold"), "\n"]
    for line in card.history:
        when = show_moment(line.at, session)
        parts += [inert(labelled(f"{when} {line.by}", line.words))]
        parts += [inert(f" «{line.note}»", tone="$text-muted")] if line.note else []
        parts.append("\n")
    if not card.history:
        parts.append((_("Nothing yet: this is the first contact."), "$text-muted"))
    return Content.assemble(*parts)


def parting_words(card: CallbackCard | None, lease: Lease | None, session: Session) -> str:
    """For the screen behind the card: a patient who is left with F3 is still held; empty where nobody is."""
    if card is None or lease is None:
        return ""
    words = _("{patient} stays yours until {time}: Enter goes on there, F12 on the card gives back.")
    return words.format(patient=card.patient, time=show_moment(lease.until, session))


def short_label(code: str, session: Session) -> str:
    """What a disposition is called beside its key: the short words of the reference data, else the whole ones."""
    short = session.label("disposition.attempt.short", code)
    return session.label("disposition.attempt", code) if short == code else short


def key_grid(rows: Sequence[Disposition], session: Session, width: int) -> Content:
    """The dispositions with their keys, in as many columns as the terminal has room for."""
    across = max(1, width // GRID_CELLS)
    down = -(-len(rows) // across)
    parts: list[Content | tuple[str, str] | str] = []
    for line in range(down):
        for row in rows[line::down]:
            label = short_label(row.code, session)
            cut = label if len(label) <= GRID_CELLS - 4 else label[: GRID_CELLS - 5] + "…"
            parts += [inert(row.key, tone="bold $accent"), " ", inert(cut.ljust(GRID_CELLS - 3)), " "]
        parts.append("\n")
    return Content.assemble(*parts[:-1])
