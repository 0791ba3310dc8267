"""Two agents in one record: what each field was, is and shall be. Nobody writes over what was not seen.

A form carries the value that its agent saw. In the transaction that writes, a field whose stored value is neither the
one that was seen nor the one that is wanted is a conflict: nothing is written, and both versions are told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.wording import moment_words
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.store import agents, journal

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection

LABELS: Mapping[str, str] = {
    "last_name": N_("Last name"),
    "first_name": N_("First name"),
    "birth": N_("Born on"),
    "niss": N_("National no."),
    "language": N_("Language"),
    "contact_note": N_("Before ringing"),
    "voicemail": N_("Voicemail"),
    "may_tell": N_("May be told"),
    "gp": N_("General practitioner"),
    "next_of_kin": N_("Next of kin"),
    "disposition": N_("Outcome"),
    "topic": N_("Topic"),
}


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that two agents changed."""

    name: str
    """As the form and `seen` name it."""
    label: str
    """In the agent's language, as every text below."""
    seen: str
    """What stood there when the form was filled. Foreign text, as the next two."""
    theirs: str
    """What stands there now."""
    mine: str
    by: str
    """Name of who changed it; empty where the journal does not tell."""
    at: datetime | None
    """When it was changed; None where the journal does not tell."""
    stands: Any
    """The value that stands there now: given as `seen`, the field may be written over."""


class Conflict(RuleBroken):
    """Somebody changed the same fields since they were seen; nothing was written."""

    def __init__(self, message: str, fields: Sequence[FieldConflict]) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


@dataclass(frozen=True, slots=True)
class Compared:
    """One field as the form saw it, as it stands, and as it is wanted."""

    name: str
    seen: Sequence[Any]
    """Values that mean what was seen: as it was given, and as it reads when it was typed."""
    stored: Any
    wanted: Any
    columns: Sequence[str]
    """Its names in the journal."""
    words: Callable[[Any], str] = str
    """A value as people read it."""

    @property
    def is_conflict(self) -> bool:
        """What stands there is neither the value that was seen nor the one that is wanted."""
        return self.stored != self.wanted and all(self.stored != value for value in self.seen)


def refuse_unseen(
    connection: "Connection",
    subject: str,
    subject_id: int,
    compared: Iterable[Compared],
    *,
    zone: str,
    now: datetime,
) -> None:
    """Refuse to write over what the agent did not see. Inside the write, before the first change.

    Raises:
        Conflict: with both versions of each field that two agents changed, and who changed it when.
    """
    fields = [_told(connection, subject, subject_id, one) for one in compared if one.is_conflict]
    if fields:
        told = [_sentence(field, zone, now) for field in fields]
        raise Conflict(" ".join([*told, _("Nothing was written: decide field by field.")]), fields)


def _told(connection: "Connection", subject: str, subject_id: int, one: Compared) -> FieldConflict:
    change = journal.last_change(connection, subject, subject_id, one.columns)
    by, at = change or ("", None)
    agent = agents.find_agent(connection, by) if by else None
    seen, theirs, mine = (one.words(value) or _("(empty)") for value in (one.seen[0], one.stored, one.wanted))
    label = _(LABELS.get(one.name, one.name))
    return FieldConflict(one.name, label, seen, theirs, mine, str(agent["name"]) if agent else by, at, one.stored)


def _sentence(field: FieldConflict, zone: str, now: datetime) -> str:
    words = _("“{field}” was changed meanwhile. You saw: {seen}. Now: {theirs}. You want: {mine}.")
    if field.by:
        words = _("{name} changed “{field}” meanwhile ({time}). You saw: {seen}. Now: {theirs}. You want: {mine}.")
    time = moment_words(field.at, zone, now) if field.at else ""
    return words.format(
        name=field.by, field=field.label, time=time, seen=field.seen, theirs=field.theirs, mine=field.mine
    )
