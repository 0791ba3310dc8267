"""What a callback's card says, as lines of text."""

from collections.abc import Sequence

from textual.content import Content

from crisisdesk.desk.callbacks import about_words
from crisisdesk.desk.cards import CallbackCard, HeldItem
from crisisdesk.desk.slotwords import asked_words
from crisisdesk.desk.whynot import missing_words
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Disposition
from crisisdesk.i18n import _, labelled
from crisisdesk.ui.format import show_age, show_date, show_day, show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.readout import reading_lines

GRID_CELLS = 26
BEFORE_PROOF = 2
"""Lines of the script that are spoken before the patient has proved who he is (`desk/firstwords.py`)."""
Parts = list[Content | tuple[str, str] | str]
"""What a content is assembled from."""


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
    if not session.settings.basic and all(sign in _LARGE for sign in number):
        rows = [" ".join(_LARGE[sign][row] for sign in number) for row in range(3)]
        if len(rows[0]) <= width:
            return "\n".join(rows)
    return "   ".join(" ".join(group) for group in number.split(" "))


def who_lines(card: CallbackCard, session: Session) -> Content:
    """Who to ask for."""
    language = session.label("language", card.language) if card.language else ""
    facts = [show_date(card.birth_on), show_age(card.birth_on, session), language]
    known = " · ".join(fact for fact in facts if fact) or _("date of birth unknown")
    return Content.assemble(
        (_("Ask for"), "$text-muted"), "\n", inert(card.patient, 50, tone="bold"), "\n",
        inert(known, 60), " ", inert(card.contact_note, 40),
    )  # fmt: skip


def notes_line(card: CallbackCard) -> Content:
    """What is to be known before ringing: a promise to keep or broken, a limit; empty where there is nothing."""
    return inert(" · ".join(card.notes), 240, tone="$warning")


def why_line(card: CallbackCard) -> Content:
    """Why this patient now."""
    tried = _("attempts: {count}").format(count=card.attempts)
    return Content.assemble((_("Why here  "), "$text-muted"), inert(card.why_here), (f"   {tried}", "$text-muted"))


def held_words(lease: Lease, session: Session) -> str:
    """How long the patient is this agent's alone."""
    return _("Held for you until {time}; typing keeps it.").format(time=show_moment(lease.until, session))


def card_lines(card: CallbackCard, session: Session) -> Content:
    """What was put off and what can be offered; who may be told what; what is said after the proof."""
    parts: Parts = []
    for place, item in enumerate(card.items, 1):
        parts += [*_item(place, item, card, session), "\n"]
    if card.note or card.promised_until:
        promised = show_moment(card.promised_until, session)
        until = _("promised until {moment}").format(moment=promised) if promised else ""
        parts += [(_("Wish  "), "$text-muted"), inert(f"{card.note} {until}", tone="bold"), "\n"]
    parts += [inert(card.tell_words, 240, tone="$warning"), "\n", inert(card.voicemail_words, tone="$warning"), "\n"]
    parts += _said(card.script[BEFORE_PROOF:] if card.lease is not None else card.script)
    for number in card.numbers[1:]:
        shown = show_phone(number.number, session)
        wrong = _("found wrong") if number.is_wrong else number.comment
        parts += [(_("Other number  "), "$text-muted"), inert(f"{shown} {wrong}"), "\n"]
    parts += _elsewhere(card, session)
    for label, name in ((_("General practitioner"), card.gp), (_("Next of kin"), card.next_of_kin)):
        if name:
            parts += [(f"{label}  ", "$text-muted"), inert(name, 120), "\n"]
    return Content.assemble(*parts, why_line(card))


def first_lines(card: CallbackCard) -> Content:
    """Before the first word: what is said until either side has proved itself, and how the answer is checked."""
    proof = inert(card.proof_words, 400, tone="bold" if card.is_proven else "bold $warning")
    sign: tuple[str, str] = ("✓ ", "$accent") if card.is_proven else ("! ", "bold $warning")
    return Content.assemble(*_said(card.script[:BEFORE_PROOF]), sign, proof)


def _said(lines: Sequence[str]) -> Parts:
    """Lines to speak."""
    parts: Parts = []
    for line in lines:
        parts += [("» ", "$text-muted"), inert(line, 240), "\n"]
    return parts


def _elsewhere(card: CallbackCard, session: Session) -> Parts:
    """What the same person waits for at other sites: one call settles all of it."""
    parts: Parts = []
    for other in card.others:
        words = _("Also waits for {site}").format(site=session.site_name(other.site_id))
        if other.is_held:
            words = _("{words}: {name} rings for it now").format(words=words, name=other.holder)
        parts += [inert(words, tone="bold"), "\n"]
        if not other.is_held:
            for item in other.items:
                if item.is_unsettled:
                    parts += [*_item(None, item, card, session), "\n"]
    return parts


def _item(place: int | None, item: HeldItem, card: CallbackCard, session: Session) -> Parts:
    settled = "" if item.is_unsettled else " ✓"
    told = show_day(item.told_on)
    number = f"{place} " if place else "+ "
    words = f"{number}{about_words(item, session.reference)}{settled}"
    facts = [show_date(item.original_on) or _("date unknown"), item.priority or _("uncoded"), item.clinician]
    facts += [_("told {day}").format(day=told)] if told else []
    facts += [asked_words(card.asked.get(item.postponement_id), session.reference)]
    lines: Parts = [
        inert(words, 120, tone="bold"), "  ", inert(" · ".join(fact for fact in facts if fact)),
    ]  # fmt: skip
    if missing := missing_words(item, session.reference):
        lines += ["\n  ", inert(missing, 160, tone="$warning")]
    slots = card.offers.get(item.postponement_id, ())
    if slots:
        offered = [f"{number}) {show_day(slot.slot_on)}" for number, slot in enumerate(slots, 1)]
        lines += ["\n  ", inert("  ".join(offered), tone="bold $accent")]
    elif item.is_unsettled:
        lines += ["\n  ", (_("No place can be offered yet"), "$text-muted")]
    return lines


def history_lines(card: CallbackCard, session: Session) -> Content:
    """The instruction in force, then what was said and tried, newest first."""
    parts: Parts = []
    for said in reading_lines(card.reading, card.language, session):
        parts += [said, "\n"]
    parts += [(_("Said before"), "bold"), "\n"]
    for line in card.history:
        when = show_moment(line.at, session)
        parts += [inert(labelled(f"{when} {line.by}", line.words), tone="strike $text-muted" if line.is_undone else "")]
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
    parts: Parts = []
    for line in range(down):
        for row in rows[line::down]:
            label = short_label(row.code, session)
            cut = label if len(label) <= GRID_CELLS - 4 else label[: GRID_CELLS - 5] + "…"
            parts += [inert(row.key, tone="bold $accent"), " ", inert(cut.ljust(GRID_CELLS - 3)), " "]
        parts.append("\n")
    return Content.assemble(*parts[:-1])
