"""Another person at the desk, as a process of its own: `racer.py DESK LOGIN JOB NOW ARGUMENT...`; prints one JSON line.

It opens the desk, says "ready", and waits for a line on its standard input before it acts: so that two act at once.
"""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.patients import merge_patients, report_death
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store.engine import Store, open_desk


def open_service(store: Store, agent: Agent, now: datetime, *said: str) -> Any:
    """service, day, capacity, newest row that was seen"""
    service_id, day, capacity, seen = said
    form = OpeningForm(int(service_id), date.fromisoformat(day), capacity_a_day=int(capacity), seen_id=int(seen))
    return confirm_opening(store, form, agent=agent, now=now).released


def merge(store: Store, agent: Agent, now: datetime, stays: str, gone: str) -> Any:
    return merge_patients(store, int(stays), int(gone), agent=agent, now=now)


def death(store: Store, agent: Agent, now: datetime, patient_id: str) -> Any:
    return report_death(store, int(patient_id), agent=agent, now=now)


def bring_in(store: Store, agent: Agent, now: datetime, *paths: str) -> Any:
    report = import_files(store, [Path(path) for path in paths], Options(site="arlon"), agent=agent, now=now)
    return {"counts": report.files[0]["counts"], "missing": [row["postponement"] for row in report.missing]}


JOBS = {"open": open_service, "merge": merge, "death": death, "import": bring_in}


def main(desk: str, login: str, job: str, now: str, *arguments: str) -> dict[str, Any]:
    """Do one job when told so; what came of it, or the sentence of the refusal."""
    store = open_desk(Path(desk))
    agent = find_agent(store, login)
    assert agent
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        return {"done": JOBS[job](store, agent, datetime.fromisoformat(now), *arguments)}
    except (RuleBroken, LeaseLost) as refusal:
        return {"refused": str(refusal)}
    finally:
        store.close()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
