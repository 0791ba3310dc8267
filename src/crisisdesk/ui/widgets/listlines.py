"""Lines and columns of the screen Lists: imports, pairs of patients, a file before it is taken in."""

from datetime import date

from textual.content import Content

from crisisdesk.desk.importing.wording import code_words, short_why, why_words
from crisisdesk.domain.lists import FilePreview, ImportLine, PreviewRow, ProposalLine, ProposalSide, SideItem
from crisisdesk.domain.text import fold
from crisisdesk.i18n import N_, _, joined
from crisisdesk.ui.format import show_date, show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.table import Cell, Column, Row

FIELD_WORDS = {
    "planned_date": N_("planned date"), "planned_time": N_("planned time"), "full_name": N_("full name"),
    "last_name": N_("last name"), "first_name": N_("first name"), "birth_date": N_("birth date"),
    "niss": N_("national number"), "phone": N_("telephone"), "procedure": N_("procedure"), "priority": N_("priority"),
    "service": N_("service"), "site": N_("site"), "kind": N_("kind of service"), "clinician": N_("doctor"),
    "room": N_("room"), "record_number": N_("record number"), "postcode": N_("postcode"), "town": N_("town"),
    "remark": N_("remark"), "ignored": N_("not used"),
}  # fmt: skip
"""What people call the fields of a list; the desk knows them by their codes."""


def field_words(code: str) -> str:
    """What people call a field."""
    return _(FIELD_WORDS.get(code, code))


def columns_help() -> Content:
    """How to say what the columns of a list are, and the names that may be given."""
    how = _("In Columns, say what each column is, by its header or its number: 1={date}; 2={name}").format(
        date=field_words("planned_date"), name=field_words("full_name")
    )
    return Content("\n").join([
        inert(how, tone="bold"), inert(", ".join(field_words(code) for code in FIELD_WORDS), 400, tone="$text-muted"),
    ])  # fmt: skip


def read_columns(text: str) -> dict[str, str]:
    """Read "1=planned date; Le malade=full name": the code of the field of each column.

    A name that is no field stays as it was typed: the import then says which names it knows.
    """
    codes = {fold(_(words)): code for code, words in FIELD_WORDS.items()} | {fold(code): code for code in FIELD_WORDS}
    pairs = [part.rpartition("=") for part in text.split(";") if "=" in part]
    return {column.strip(): codes.get(fold(name), name.strip()) for column, _sign, name in pairs}


def history_columns() -> tuple[Column, ...]:
    """Columns of the imports so far."""
    return (
        Column("at", _("Taken in"), 16), Column("name", _("List"), 0), Column("site", _("Site"), 10),
        Column("rows", _("Rows"), 5, right=True), Column("warned", _("Warn."), 5, right=True),
        Column("rejected", _("Rej."), 4, right=True), Column("added", _("New"), 5, right=True),
        Column("changed", _("Chg."), 4, right=True),
    )  # fmt: skip


def pair_columns() -> tuple[Column, ...]:
    """Columns of the pairs."""
    return (Column("one", _("Patient"), 27), Column("other", _("May be"), 27), Column("why", _("Same"), 0))


def preview_columns() -> tuple[Column, ...]:
    """Columns of a file."""
    return (
        Column("row", _("Row"), 4, right=True), Column("name", _("Name"), 18), Column("born", _("Born"), 10),
        Column("planned", _("Planned"), 16), Column("what", _("What, and what is wrong"), 0),
    )  # fmt: skip


def import_row(line: ImportLine, session: Session) -> Row:
    """One import."""
    counts = line.counts
    rejected = counts.get("rejected", 0)
    name = f"{line.name} ({_('later version')})" if line.is_later_version else line.name
    return Row(str(line.file_id), (
        show_moment(line.published_at, session), name,
        session.site_name(line.site_id) or Cell("?", "warn"),
        str(counts.get("rows", 0)), str(counts.get("accepted_with_warnings", 0)),
        Cell(str(rejected), "warn" if rejected else ""), str(line.added), str(line.changed),
    ))  # fmt: skip


def who(side: ProposalSide) -> str:
    """Name and birth date."""
    born = show_date(side.birth_on) if side.birth_on else "?"
    return f"{side.name} {born}"


def pair_row(row_id: str, pair: ProposalLine) -> Row:
    """One pair; why in as few words as there are, because that is what differs from line to line."""
    return Row(row_id, (who(pair.one), who(pair.other), short_why(pair.why)))


def pair_lines(pair: ProposalLine, session: Session) -> list[Content]:
    """Both records in full, one below the other so that the eye compares them, and why they may be one."""
    return [*_side_lines(pair.one, session), *_side_lines(pair.other, session), inert(why_words(pair.why), 200)]


def _side_lines(side: ProposalSide, session: Session) -> list[Content]:
    """One of two patients in full."""
    phones = ", ".join(show_phone(number, session) for number in side.phones) or _("no telephone")
    facts = [who(side), side.niss or _("no national number"), phones]
    if side.is_provisional:
        facts.append(_("from a call"))
    return [inert(" · ".join(facts), 200, tone="bold"), inert(_items(side, session), 200, tone="$text-muted")]


def _items(side: ProposalSide, session: Session) -> str:
    return joined(_item(item, session) for item in side.items) or _("no item")


def _item(item: SideItem, session: Session) -> str:
    kind = session.label("service_kind", item.kind) if item.kind else ""
    return " ".join(part for part in (kind, show_date(item.planned_on), item.procedure) if part)


def _shown(moment: str) -> str:
    """A date of a file's row, with or without its hour, as people write it."""
    day, _blank, hour = moment.partition(" ")
    try:
        return f"{show_date(date.fromisoformat(day))} {hour}".strip()
    except ValueError:
        return moment


def preview_row(row: PreviewRow) -> Row:
    """One record of a file."""
    words = joined(code_words(code) for code in row.codes)
    tone = "warn" if row.status == "rejected" else ""
    return Row(str(row.row), (
        str(row.row), row.name, _shown(row.birth_date), _shown(row.planned), Cell(f"{row.item} {words}", tone),
    ))  # fmt: skip


def preview_lines(found: FilePreview, session: Session) -> list[Content]:
    """What was understood of a file, and what was not."""
    counts = _("{rows} records: {accepted} accepted, {warned} with warnings, {duplicate} repeated, {rejected} rejected")
    said = counts.format(warned=found.counts["accepted_with_warnings"], **found.counts)
    kind = session.label("service_kind", found.kind) if found.kind else "?"
    nowhere = _("site by row") if found.is_placed else _("no site: its patients would be in no queue")
    where = session.site_name(found.site_id) or nowhere
    columns = ", ".join(f"{field_words(name)} = {header}" for name, header in found.columns)
    lines = [
        inert(f"{found.name} · {where} · {kind} · {said}", 240, tone="bold"),
        inert(_("Columns: {columns}").format(columns=columns), 400),
    ]
    if found.unused:
        lines.append(inert(_("Not used: {columns}").format(columns=", ".join(found.unused)), 200, tone="$text-muted"))
    if found.encoding:
        samples = " · ".join(found.accented)
        lines.append(
            inert(_("Letters read as {encoding}: {samples}").format(encoding=found.encoding, samples=samples), 200)
        )
    lines += [inert(code_words(code), 200, tone="$warning") for code in found.warnings]
    return lines


def progress_line(name: str, done: int, total: int) -> str:
    """How far an import is, as a bar of twenty cells and a share."""
    percent = min(100, 100 * done // max(1, total))
    return f"{name} {'█' * (percent // 5)}{'·' * (20 - percent // 5)} {percent} %"
