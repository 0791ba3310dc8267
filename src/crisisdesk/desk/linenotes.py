"""What is to be known of a callback besides its place and what keeps it out: promises, persons, limits, lists."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from crisisdesk.clock import local_day
from crisisdesk.desk.whynot import (
    Setting,
    limit_days,
    limit_words,
    missing_words,
    personal_words,
    promise_words,
)
from crisisdesk.domain.opening import History, read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import OpeningState
from crisisdesk.i18n import _
from crisisdesk.store import openings
from crisisdesk.store.cards import HeldItem
from crisisdesk.store.engine import Connection
from crisisdesk.store.reasons import Moment


def line_notes(
    connection: Connection, line: Any, items: Sequence[HeldItem], reference: Reference, moment: Moment
) -> tuple[str, ...]:
    """The notes of one callback, read for its card."""
    services = {item.service_id for item in items if item.service_id is not None}
    histories = {key: read_history(rows) for key, rows in openings.opening_rows(connection, list(services)).items()}
    return notes(line, items, histories, Setting(reference, moment.now, moment.now), moment)


def notes(
    line: Any, items: Iterable[HeldItem], histories: Mapping[int, History], setting: Setting, moment: Moment
) -> tuple[str, ...]:
    """Sentences about a line, what needs somebody first."""
    items, reference = list(items), setting.reference
    left = limit_days(line.why, line.due_at, reference, setting.now)
    found = [
        promise_words(line, setting),
        personal_words(line, setting, moment.agent_id, moment.absent),
        limit_words(line.why.get("priority"), left) if left is not None else "",
        *(missing_words(item, reference) for item in items if item.is_unsettled),
    ]
    if closed_again(line, items, histories, local_day(setting.now, reference.desk.time_zone)):
        found.append(_("released when its service opened, which is closed again: no place can be offered"))
    return tuple(dict.fromkeys(filter(None, found)))


def closed_again(line: Any, items: Iterable[HeldItem], histories: Mapping[int, History], today: date) -> bool:
    """Whether an opening released a callback, and none of its services is open or about to open any more."""
    if line.released_at is None or not line.release_why.startswith("opening:"):
        return False
    services = {item.service_id for item in items if item.is_unsettled and item.service_id is not None}
    return bool(services) and all(_is_shut(histories.get(number, History()), today) for number in services)


def _is_shut(history: History, today: date) -> bool:
    current = history.on(today)
    return current is not None and current.state == OpeningState.CLOSED and history.next_open(today) is None
