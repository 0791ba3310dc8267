"""What keeps a callback from being rung now: each rule is one condition, and all of them make one CASE.

The take, the list, the counts and the explanation of a line use these conditions and no others, so that they agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, bindparam, text

from crisisdesk.domain.words import PartOfDay
from crisisdesk.store import tables
from crisisdesk.store.items import unsettled_sql

INSTANT = tables.callback.c.due_at.type
READY, HELD = "ready", "held"


@dataclass(frozen=True, slots=True)
class Moment:
    """What "now" means for a queue: all of it computed before the statement."""

    now: datetime
    rested: datetime
    """Patients who were tried after this instant are left in peace."""
    day_start: datetime
    other_parts: frozenset[PartOfDay]
    """Parts of the day within the calling hours that it is not now: a wish for one of them waits."""
    cap_a_day: int
    agent_id: int
    absent: datetime
    """Agents who did nothing after this instant are absent: what they promised in person is anybody's."""
    closing: datetime
    """A window that ends before this instant is about to be over: whoever is there keeps the promise."""

    def values(self) -> dict[str, Any]:
        """Values of the statements' parameters."""
        return {
            "now": self.now, "rested": self.rested, "day_start": self.day_start, "cap": self.cap_a_day,
            "other_parts": " ".join(sorted(self.other_parts)), "agent_id": self.agent_id, "absent": self.absent,
            "closing": self.closing,
        }  # fmt: skip


_INSTANTS = ("now", "rested", "day_start", "absent", "closing")

NUMBER = """CASE WHEN callback.number <> '' AND NOT EXISTS (SELECT 1 FROM phone
    WHERE phone.patient_id = callback.patient_id AND phone.number = callback.number
      AND phone.found_wrong_at IS NOT NULL) THEN callback.number
  ELSE (SELECT phone.number FROM phone WHERE phone.patient_id = callback.patient_id AND phone.found_wrong_at IS NULL
    ORDER BY phone.is_guessed, phone.position, phone.id LIMIT 1) END"""
NUMBER_THERE = NUMBER.replace("callback.", "other.")
OTHER = "other.state = 'leased' AND other.lease_until > :now AND other.id <> callback.id"
# Somebody rings this patient, or this number for another patient, at this moment: a second agent would hear "busy".
# Asked of one callback (the take), or found once for all (lists and counts, where the first would cost too much).
ON_LINE = f"""(
    EXISTS (SELECT 1 FROM callback AS other WHERE other.patient_id = callback.patient_id AND {OTHER})
    OR EXISTS (SELECT 1 FROM phone JOIN callback AS other ON other.patient_id = phone.patient_id AND {OTHER}
      WHERE phone.number = {NUMBER} AND {NUMBER_THERE} = phone.number))"""
ALL_ON_LINE = f"""WITH ringing AS MATERIALIZED (SELECT other.id, other.patient_id, {NUMBER_THERE} AS number
    FROM callback AS other WHERE other.state = 'leased' AND other.lease_until > :now),
  on_line (id) AS MATERIALIZED (
    SELECT callback.id FROM ringing JOIN callback ON callback.patient_id = ringing.patient_id
    WHERE callback.id <> ringing.id AND callback.state <> 'closed'
    UNION SELECT callback.id FROM ringing JOIN phone ON phone.number = ringing.number
      JOIN callback ON callback.patient_id = phone.patient_id
    WHERE callback.id <> ringing.id AND callback.state <> 'closed' AND {NUMBER} = ringing.number) """
_ITEMS = """FROM callback_item JOIN postponement ON postponement.id = callback_item.postponement_id
      WHERE callback_item.callback_id = callback.id"""
# Nothing is left of what it was about (rebooked, decided, handed over ... by other ways than this callback), and the
# patient did not ask to be rung after that.
SETTLED = f"""NOT EXISTS (SELECT 1 {_ITEMS} AND {unsettled_sql()}) AND EXISTS (SELECT 1 {_ITEMS})
    AND (callback.asked_at IS NULL OR callback.asked_at < (SELECT max(max(coalesce(postponement.decided_at, ''),
      coalesce(postponement.rebooked_at, ''), coalesce(postponement.done_at, ''),
      coalesce(postponement.handed_over_at, ''))) {_ITEMS}))"""
_PRESENT = """EXISTS (SELECT 1 FROM agent
      WHERE agent.id = callback.for_agent_id AND agent.is_active AND agent.seen_at > :absent)"""


# A told day slipped and the patient does not know yet: that is told before a clinician has decided about the rest.
# Until somebody spoke to the patient, or it was tried often enough.
UNTOLD = """callback.why ->> '$.slipped_at' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attempt
      WHERE attempt.callback_id = callback.id AND attempt.undone_at IS NULL
        AND attempt.started_at >= callback.why ->> '$.slipped_at'
        AND (attempt.reach = 'patient' OR attempt.next_step = 'review'))"""


def _rules(on_line: str) -> Mapping[str, str]:
    """Code -> condition under which it keeps a callback out, in the order in which they decide."""
    return {
        HELD: "callback.state = 'leased' AND callback.lease_until > :now",
        "desk_closed": "(SELECT closed_at FROM desk) IS NOT NULL",
        "confirm_death": """callback.hold = 'confirm_death'
    OR (SELECT death_reported_at FROM patient WHERE patient.id = callback.patient_id) IS NOT NULL""",
        "review": f"callback.hold = 'review' AND NOT ({UNTOLD})",
        "number_search": f"callback.hold = 'number_search' AND {NUMBER} IS NULL",
        "settled": SETTLED,
        "not_released": "callback.released_at IS NULL",
        "not_before": "callback.not_before > :now",
        "rest": "callback.last_attempt_at > :rested",
        "part_of_day": "instr(:other_parts, callback.part_of_day) > 0",
        "personal": f"""callback.for_agent_id <> :agent_id
    AND (callback.promised_until IS NULL OR callback.promised_until > :closing) AND {_PRESENT}""",
        "no_number": f"{NUMBER} IS NULL",
        "on_line": on_line,
        "capped": f"""(SELECT count(*) FROM attempt WHERE attempt.number = {NUMBER}
    AND attempt.number <> '' AND attempt.started_at >= :day_start AND attempt.undone_at IS NULL) >= :cap""",
    }


RULES = _rules(ON_LINE)
REASONS = (*RULES, READY)
"""Every value of the CASE, in the order in which it decides."""


def _case(rules: Mapping[str, str]) -> str:
    whens = "\n  ".join(f"WHEN {condition} THEN '{code}'" for code, condition in rules.items())
    return f"CASE\n  {whens}\n  ELSE '{READY}' END"


REASON = _case(RULES)
LISTED_REASON = _case(_rules("callback.id IN (SELECT id FROM on_line)"))
"""The same for many lines at once, after `ALL_ON_LINE`."""


def statement(sql: str, *instants: str) -> TextClause:
    """A statement with the parameters of a `Moment`, and some more that are instants."""
    names = [name for name in (*_INSTANTS, *instants) if f":{name}" in sql]
    return text(sql).bindparams(*(bindparam(name, type_=INSTANT) for name in names))
