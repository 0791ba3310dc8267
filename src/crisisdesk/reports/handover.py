"""The signed list of a handover on paper and as a file, both from one content; and a file checked against the desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crisisdesk.clock import to_local
from crisisdesk.domain.handover import COLUMNS, FACTS, ReadList, SignedList, digest, read_list
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _, labelled
from crisisdesk.reports.files import Cell, Told, csv_text, permit_names, write_told
from crisisdesk.reports.paper import Paper, draw_list
from crisisdesk.store import handovers, journal
from crisisdesk.store.engine import Store

HEADS = {
    "number": N_("No."), "patient": N_("Patient"), "born": N_("Born on"), "record": N_("Record"),
    "language": N_("Language"), "phones": N_("Numbers"), "telling": N_("What may be said"), "service": N_("Service"),
    "what": N_("What was put off"), "original": N_("Was on"), "priority": N_("Priority and limit"),
    "state": N_("How far"), "promises": N_("Promised"), "places": N_("Dates told"), "history": N_("Calls and attempts"),
    "words": N_("Last words"), "item": N_("Desk no."),
}  # fmt: skip
SEPARATOR = ";"
FORMATS = ("csv", "pdf")


@dataclass(frozen=True)
class Verdict:
    """What became of a list that was read back from a file."""

    handover_id: int
    sha256: str
    """Of what the file holds now."""
    lines: int
    faults: Sequence[str]
    """What does not fit, in words; none: it is the list that this desk signed."""

    @property
    def is_genuine(self) -> bool:
        """Whether nothing was changed."""
        return not self.faults


def list_csv(signed: SignedList) -> bytes:
    """The list as CSV for Excel (";", UTF-8 with its mark, CRLF): heads, lines, then what the list says of itself."""
    rows: list[Sequence[Cell]] = [[_(HEADS[name]) for name in COLUMNS], *signed.rows]
    rows += [[f"#{name}", signed.facts.get(name, "")] for name in FACTS]
    rows += [["#journal", f"{signed.journal_seq}:{signed.journal_hash}"], ["#sha256", signed.sha256]]
    return csv_text(rows, separator=SEPARATOR, with_bom=True)


def list_pdf(signed: SignedList, *, zone: str) -> bytes:
    """The list on A4 paper, to be ticked, initialled and signed.

    Raises:
        RuleBroken: reportlab is not installed.
    """
    facts = signed.facts
    where = ", ".join(text for text in (facts["site"], facts["service"]) if text) or _("no site")
    made = datetime.fromisoformat(facts["made_at"])
    told = _("made on {moment} by {name}").format(
        moment=f"{to_local(made, zone):%d/%m/%Y %H:%M}", name=facts["made_by"]
    )
    paper = Paper(
        title=_("Handover {number} · {place}").format(number=facts["handover"], place=where),
        lines=(f"{facts['desk']} · {told}", labelled(_("Reason"), facts["reason"])),
        advice=_("Tick and initial each line that you take over. What is not ticked stays with the desk and is rung."),
        footer=(
            _("SHA-256 of the content {hash}").format(hash=signed.sha256),
            _("Journal: entry {seq}, {hash}").format(seq=signed.journal_seq, hash=signed.journal_hash),
        ),
        signatures=(_("Handed over by (desk)"), _("Received by (service)")),
    )
    return draw_list(paper, [_blocks(row) for row in signed.rows], _paper_heads())


_PAPER = (
    ("patient", "born", "record", "language", "phones"),
    ("service", "what", "original", "priority", "state"),
    ("promises", "places", "telling"),
    ("history", "words"),
)
"""Columns of the paper, each with the cells that stand in it one below the other."""
_LABELLED = {"born", "record", "original", "priority", "promises", "places", "telling", "words"}


def _paper_heads() -> tuple[str, ...]:
    return (
        _("No."), _("Patient, numbers"), _("What was put off, priority"), _("Promised, what may be said"),
        _("Calls and attempts, last words"), _("Initials"),
    )  # fmt: skip


def _blocks(row: Sequence[str]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Number of a line, and the paragraphs of its columns on paper."""
    cells = dict(zip(COLUMNS, row, strict=True))

    def paragraph(name: str) -> str:
        return labelled(_(HEADS[name]), cells[name]) if name in _LABELLED else cells[name]

    columns = tuple(tuple(paragraph(name) for name in names if cells[name]) for names in _PAPER)
    return cells["number"], columns


def export_handover(
    store: Store, signed: SignedList, *, form: str, target: Path, zone: str, login: str, now: datetime,
    overwrite: bool = False,
) -> int:  # fmt: skip
    """Write the list to a file, journal it, and give the number of its lines.

    Args:
        form: "csv" or "pdf".

    Raises:
        RuleBroken: reportlab is missing, the content is not the one that was signed, or the file cannot be written.
    """
    permit_names(store, login, now)
    check_signed(signed)
    content = list_csv(signed) if form == "csv" else list_pdf(signed, zone=zone)
    told = told_of(signed, form)
    write_told(store, content, target, told, login=login, now=now, overwrite=overwrite)
    return told.rows


def told_of(signed: SignedList, form: str) -> Told:
    """What the journal says of an export."""
    return Told("handover", signed.facts["handover"], form, len(signed.rows))


def check_signed(signed: SignedList) -> None:
    """Refuse to print a list that is not the one whose hash the journal holds.

    Raises:
        RuleBroken: somebody changed the desk's file by other means, or a name in the reference data was changed.
    """
    if digest(signed.facts, signed.rows) != signed.sha256:
        words = _("Handover {number} is not the list that was signed: its lines were changed in the desk's file.")
        raise RuleBroken(words.format(number=signed.facts["handover"]))


def verify_file(store: Store, data: bytes) -> Verdict:
    """Compare a file with its own hash, and with the list that this desk signed and journalled.

    Raises:
        RuleBroken: it is no list of a handover.
    """
    found = read_list(data)
    if found is None or not found.facts.get("handover", "").isdecimal():
        raise RuleBroken(_("This is no list of a handover: its last lines, #handover to #sha256, are missing."))
    number = int(found.facts["handover"])
    faults = (
        [] if found.sha256 == found.said_sha256 else [_("its content does not fit the hash that it says of itself")]
    )
    with store.read() as connection:
        rows = handovers.list_handovers(connection, handover_id=number)
        entries = journal.entries(connection, subject="handover", subject_id=str(number), limit=1000)
    if not rows:
        return Verdict(number, found.sha256, len(found.rows), [*faults, _("this desk made no such handover")])
    if found.sha256 != rows[0].sha256:
        faults.append(_("its content is not the one that this desk signed"))
    made = [entry.detail.get("sha256") for entry in entries if entry.action == "handover.made"]
    if made != [rows[0].sha256]:
        faults.append(_("the journal holds another hash: check it with 'crisisdesk journal --verify'"))
    faults += _head_faults(found, rows[0].journal_seq, rows[0].journal_hash)
    return Verdict(number, found.sha256, len(found.rows), faults)


def _head_faults(found: ReadList, seq: int, digest_there: str) -> list[str]:
    said = found.facts.get("journal", "")
    if said == f"{seq}:{digest_there}":
        return []
    return [_("it names another journal entry than this desk's: {said}").format(said=said or "-")]
