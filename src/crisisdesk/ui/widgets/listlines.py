"""Lines and columns of the screen Lists: imports, pairs of patients, a file before it is taken in."""

from textual.content import Content

from crisisdesk.desk.importing.wording import code_words
from crisisdesk.domain.lists import FilePreview, ImportLine, PreviewRow, ProposalSide
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_date, show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.table import Cell, Column, Row


def history_columns() -> tuple[Column, ...]:
    """Columns of the imports so far."""
    return (
        Column("at", _("Taken in"), 16), Column("name", _("List"), 0), Column("site", _("Site"), 12),
        Column("rows", _("Rows"), 6, right=True), Column("warned", _("Warned"), 6, right=True),
        Column("rejected", _("Rej."), 5, right=True), Column("added", _("Added"), 6, right=True),
        Column("changed", _("Chg."), 5, right=True),
    )  # fmt: skip


def pair_columns() -> tuple[Column, ...]:
    """Columns of the pairs."""
    return (Column("one", _("Patient"), 26), Column("other", _("May be"), 26), Column("why", _("Why"), 0))


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


def side_lines(side: ProposalSide, session: Session) -> list[Content]:
    """One of two patients in full."""
    phones = ", ".join(show_phone(number, session) for number in side.phones) or _("no telephone")
    facts = [who(side), side.niss or _("no national number"), phones]
    if side.is_provisional:
        facts.append(_("from a call"))
    return [inert(" · ".join(facts), 200, tone="bold"), inert(side.items or _("no item"), 200, tone="$text-muted")]


def preview_row(row: PreviewRow) -> Row:
    """One record of a file."""
    words = "; ".join(code_words(code) for code in row.codes)
    tone = "warn" if row.status == "rejected" else ""
    return Row(str(row.row), (str(row.row), row.name, row.birth_date, row.planned, Cell(f"{row.item} {words}", tone)))


def preview_lines(found: FilePreview, session: Session) -> list[Content]:
    """What was understood of a file, and what was not."""
    counts = _("{rows} records: {accepted} accepted, {warned} with warnings, {duplicate} repeated, {rejected} rejected")
    said = counts.format(warned=found.counts["accepted_with_warnings"], **found.counts)
    kind = session.label("service_kind", found.kind) if found.kind else "?"
    where = session.site_name(found.site_id) or _("no site: its patients would be in no queue")
    columns = ", ".join(f"{name} = {header}" for name, header in found.columns)
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
