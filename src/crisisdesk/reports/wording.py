"""Figures as people read them, the same on the screen and in a table."""

from crisisdesk.domain.kpi import Figure, Unit
from crisisdesk.i18n import _, labelled, pgettext
from crisisdesk.reports.day import DayReport
from crisisdesk.reports.definitions import COVERAGE


def show_value(figure: Figure) -> int | str:
    """The value: a whole number, "93.3 %", minutes and seconds "4:32", "not measured", or "-" over nothing."""
    if not figure.is_measured:
        return _("not measured")
    if figure.value is None:
        return "-"
    if figure.unit is Unit.SHARE:
        return _("{share} %").format(share=f"{figure.value * 100:.1f}".replace(".", pgettext("decimal sign", ".")))
    if figure.unit is Unit.SECONDS:
        return f"{round(figure.value) // 60}:{round(figure.value) % 60:02}"
    return round(figure.value)


def explain(figure: Figure) -> str:
    """One line that lets the reader doubt a figure: what it counts, of what, and what it means."""
    if not figure.is_measured:
        return _("{label}: not measured. {definition}").format(label=figure.label, definition=figure.definition)
    numbers = f"{figure.numerator:g}" if figure.numerator is not None else ""
    if figure.denominator is not None:
        numbers += f" / {figure.denominator}"
    return f"{labelled(figure.label, numbers)}. {figure.definition}"


def meanings(report: DayReport) -> tuple[tuple[str, str], ...]:
    """Name and definition of each figure of the summary and of each class of coverage."""
    summary = tuple((figure.label, figure.definition) for figure in report.section("summary").figures)
    return (*summary, *(definition.shown() for definition in COVERAGE.values()))
