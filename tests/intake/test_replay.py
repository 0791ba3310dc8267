"""A recorded stream of calls goes through the code that the screen calls."""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.intake import CallForm, ReportedItem, record_call
from crisisdesk.desk.linking import MatchQuery, find_matches
from crisisdesk.domain.matches import Reason
from crisisdesk.domain.reference import Reference
from crisisdesk.store import journal
from crisisdesk.store.engine import Store

KINDS = {"imaging": "exam"}
ENDINGS = {
    "deceased": "deceased",
    "complaint": "complaint",
    "silent": "silent",
    "wrong_number": "wrong_number",
    "press_question": "referred",
    "staff_shift": "referred",
    "staff_it": "referred",
    "supplier": "referred",
}


def form_of(call: dict[str, Any], reference: Reference) -> CallForm:
    """The sample's fields as an agent would have typed them."""
    person = call.get("patient_said") or {}
    said = call.get("appointment_said") or {}
    wish = (call.get("callback_window") or {}).get("said", "")
    kind = call.get("caller_kind") or ""
    ending = ENDINGS.get(
        call["topic"] or "", "callback" if wish and call["site"] and call["caller_phone"] else "informed"
    )
    if not call["answered"]:
        ending = "hung_up"
    elif call["red_flag"]:
        ending = "emergency"
    reported = (
        (ReportedItem(KINDS.get(said["kind"], said["kind"]), said["site"], said["service"], said["date"] or ""),)
        if said
        else ()
    )
    return CallForm(
        uid=call["call_id"],
        started_at=datetime.fromisoformat(call["started_at"]),
        disposition=ending,
        phone=call["caller_phone"] or "",
        is_withheld=call["caller_phone"] is None,
        caller_kind=kind if kind in reference.caller_kinds else "",
        relation=call.get("relation") or "",
        language=call.get("language") or "",
        last_name=person.get("last_name") or "",
        first_name=person.get("first_name") or "",
        birth=person.get("birth_date") or "",
        reported=reported if ending not in {"hung_up", "silent", "wrong_number"} else (),
        site_id=call.get("site") or "",
        topic=call["topic"] if call["topic"] in reference.topics else "",
        words=call.get("words") or "",
        wish=wish,
        red_flag="doubt" if call["red_flag"] else "",
    )


def linked_by_an_agent(store: Store, form: CallForm, reference: Reference) -> tuple[int, ...]:
    """Whom an agent links without asking further: name and birth date agree."""
    query = MatchQuery(form.phone, form.last_name, form.first_name, form.birth)
    found = find_matches(store, query, now=form.started_at, reference=reference).matches
    sure = [match for match in found[:1] if {Reason.NAME, Reason.BIRTH} <= set(match.reasons)]
    return tuple(match.patient_id for match in sure)


def test_two_thousand_calls(store: Store, amelie: Agent, reference: Reference, shared_samples: Path) -> None:
    lines = (shared_samples / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    counts: Counter[str] = Counter()
    for line in lines:
        form = form_of(json.loads(line), reference)
        form = replace(form, patient_ids=linked_by_an_agent(store, form, reference))
        counts["linked"] += len(form.patient_ids)
        saved = record_call(store, form, agent=amelie, now=form.started_at, reference=reference)
        counts[form.disposition] += 1
        counts["provisional"] += saved.provisional_id is not None
        counts["callbacks"] += len(saved.callbacks)
        counts["warnings"] += len(saved.warnings)
    print(dict(counts))
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM call").scalar_one() == len(lines)
        assert journal.verify(connection).first_fault is None
    assert counts["emergency"] == sum('"red_flag":true' in line for line in lines)
