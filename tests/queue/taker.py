"""One agent as a process of its own: `taker.py DESK LOGIN JOB NOW`. Prints one JSON line at the end."""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from time import perf_counter

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.callbacks import NothingNow, take, take_next
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store.engine import open_desk

DAY = date(2022, 6, 8)


def main(desk: str, login: str, job: str, now: datetime) -> dict[str, object]:
    """Do one job until there is nothing left of it."""
    store = open_desk(Path(desk))
    agent = find_agent(store, login)
    assert agent
    taken, refused, longest = [], 0, 0.0
    while True:
        begin = perf_counter()
        try:
            card = (
                take_next(store, "arlon", agent=agent, now=now)
                if job != "same"
                else take(store, 1, agent=agent, now=now)
            )
        except LeaseLost:
            return {"taken": taken, "refused": refused + 1}
        longest = max(longest, perf_counter() - begin)
        if isinstance(card, NothingNow):
            return {"taken": taken, "refused": refused, "reason": card.reason, "longest_ms": round(longest * 1000)}
        assert card.lease
        if job == "same":
            return {"taken": [card.callback_id], "refused": 0}
        code, items = "treated_elsewhere", {}
        if job == "book":
            code, items = "accepts_date", {item.postponement_id: ItemResult("accepts_date", DAY) for item in card.items}
        form = AttemptForm(
            f"{login}-{card.callback_id}", card.callback_id, card.lease.generation, code, card.number, now,
            note="dit au téléphone", items=items,
        )  # fmt: skip
        try:
            record_attempt(store, form, agent=agent, now=now)
        except RuleBroken:  # the day is full: no answer instead, so that the next one comes
            refused += 1
            again = AttemptForm(form.uid, form.callback_id, form.generation, "no_answer", form.number, now)
            record_attempt(store, again, agent=agent, now=now)
        else:
            taken.append(card.callback_id)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4], datetime.fromisoformat(sys.argv[4]))))  # type: ignore[call-arg]
