"""The figures of one local day, from one snapshot of the desk. Codes here; words and definitions in `reports.day`."""

from dataclasses import dataclass
from datetime import date, datetime

from crisisdesk import clock
from crisisdesk.domain.kpi import CoverageRow, HalfHour, half_hours
from crisisdesk.store.coverage import count_coverage
from crisisdesk.store.engine import Store
from crisisdesk.store.figures import CallbackCount, CallCount, count_callbacks, count_calls
from crisisdesk.store.journal import head

__all__ = ["CallCount", "CallbackCount", "DayFigures", "day_figures"]


@dataclass(frozen=True)
class DayFigures:
    """Everything counted for a day. A day has 23, 24 or 25 hours; ``as_of`` is its end, or now while it lasts."""

    day: date
    zone: str
    start_at: datetime
    end_at: datetime
    as_of: datetime
    calls: tuple[CallCount, ...]
    callbacks: tuple[CallbackCount, ...]
    coverage: tuple[CoverageRow, ...]
    journal_head: tuple[int, str]
    """Number and hash of the journal's last entry: printed with the day, it proves the journal up to here."""

    @property
    def total(self) -> CallCount:
        """All calls of the day."""
        return self.by("total")[0]

    @property
    def is_over(self) -> bool:
        """The day has ended; otherwise the figures are of a part of it."""
        return self.as_of >= self.end_at

    def by(self, dimension: str) -> tuple[CallCount, ...]:
        """The calls by one dimension: half_hour, site, topic, caller_kind, disposition, agent, way_out, slip."""
        return tuple(count for count in self.calls if count.dimension == dimension)

    def half_hours(self) -> tuple[tuple[HalfHour, int], ...]:
        """Each half hour of the day and its calls, the empty ones too."""
        calls = {count.key: count.calls for count in self.by("half_hour")}
        slots = half_hours(self.start_at, self.end_at, self.zone)
        return tuple((slot, calls.get(str(slot.number), 0)) for slot in slots)


def day_figures(store: Store, day: date, *, now: datetime, zone: str) -> DayFigures:
    """Count one local day of ``zone`` (IANA name), all of it from the same snapshot.

    A day that is over is shown as of its end: what was tried, decided or rebooked later is not in its coverage.
    """
    start_at, end_at = clock.day_bounds(day, zone)
    as_of = min(now, end_at)
    with store.read() as connection:
        return DayFigures(
            day=day,
            zone=zone,
            start_at=start_at,
            end_at=end_at,
            as_of=as_of,
            calls=tuple(count_calls(connection, start_at, end_at)),
            callbacks=tuple(count_callbacks(connection, start_at, end_at, until=as_of)),
            coverage=tuple(
                count_coverage(connection, start_at=start_at, end_at=end_at, as_of=end_at if as_of == end_at else None)
            ),
            journal_head=head(connection),
        )
