"""Many agents at once, each a process of its own: `booking_rush.py DESK NOW DAY LOGIN=CALLBACK ...`.

The processes are forked from one that has imported everything and opened nothing, so that fifty of them are cheap. Each
takes its callback, waits for the others, and gives its patient DAY; where that is refused, the first day offered then.
Prints one JSON line: for each login the days that were refused, and the day that was given.
"""

import json
import multiprocessing
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.booking import offer_for
from crisisdesk.desk.callbacks import take
from crisisdesk.errors import RuleBroken
from crisisdesk.store.engine import open_desk

SECONDS = 100


def agent(desk: str, now: datetime, wanted: date, login: str, callback_id: int, barrier: Any, said: Any) -> None:
    store = open_desk(Path(desk))
    me = find_agent(store, login)
    assert me
    card = take(store, callback_id, agent=me, now=now)
    assert card.lease
    (item,) = card.items
    barrier.wait(SECONDS)
    refused, day = [], wanted
    while True:
        form = AttemptForm(
            login, callback_id, card.lease.generation, "accepts_date", card.number, now,
            items={item.postponement_id: ItemResult("accepts_date", day)},
        )  # fmt: skip
        try:
            record_attempt(store, form, agent=me, now=now)
            break
        except RuleBroken as error:
            refused.append(str(error))
            day = offer_for(store, item.postponement_id, now=now, count=1)[0].slot_on
    said.put({"login": login, "refused": refused, "day": day.isoformat()})


def main(desk: str, now: str, day: str, *agents: str) -> None:
    """Run them all, and print what they said."""
    forking = multiprocessing.get_context("fork")
    barrier, said = forking.Barrier(len(agents)), forking.Queue()
    processes = []
    for word in agents:
        login, callback_id = word.split("=")
        about = (desk, datetime.fromisoformat(now), date.fromisoformat(day), login, int(callback_id), barrier, said)
        processes.append(forking.Process(target=agent, args=about))
    for process in processes:
        process.start()
    answers = [said.get(timeout=SECONDS) for _process in processes]
    for process in processes:
        process.join(SECONDS)
        assert process.exitcode == 0
    print(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
