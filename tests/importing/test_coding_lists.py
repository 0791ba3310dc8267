"""Later versions of a list, a clinician's code, and a list that drops somebody who is being rung."""

from pathlib import Path
from typing import Any

import pytest
from handmade import NOW, line, person, take_in, write

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import list_queue, open_card, take
from crisisdesk.desk.coding import CodingList, code_priority, list_coding
from crisisdesk.desk.dropping import Dropped, decide_dropped
from crisisdesk.errors import RuleBroken
from crisisdesk.store.engine import Store

CROWD = [person(number) for number in range(10, 16)]


def agent_of(store: Store, login: str) -> Any:
    agent = find_agent(store, login)
    assert agent
    return agent


def fact(store: Store, item: object) -> Any:
    query = "SELECT priority, priority_by, priority_listed FROM postponement WHERE id = ?"
    with store.read() as connection:
        return tuple(connection.exec_driver_sql(query, (item,)).one())


def differing(store: Store) -> list[tuple[int, str, str]]:
    found = list_coding(store, CodingList.DIFFERS, "arlon", now=NOW)
    assert found.count == len(found.rows)
    return [(row.postponement_id, row.priority, row.listed) for row in found.rows]


def test_a_clinicians_code_outlives_every_version_and_the_difference_is_listed(
    desk_store: Store, tmp_path: Path
) -> None:
    def version(number: int, prio: str) -> Any:
        return take_in(desk_store, write(tmp_path / f"bloc_v{number}.csv", [line(prio=prio), *CROWD, person(number)]))

    def coded(code: str) -> None:
        code_priority(
            desk_store, item, code, clinician="Dr Hautmont", reason="revu", agent=agent_of(desk_store, "chef"), now=NOW
        )

    item = version(1, "P4").rows[1]["postponement"]
    coded("P2")
    assert differing(desk_store) == [], "the list said it before the clinician did"
    version(2, "P3")
    assert fact(desk_store, item) == ("P2", "Dr Hautmont", "P3")
    assert differing(desk_store) == [(item, "P2", "P3")]
    version(3, "P4")
    assert differing(desk_store) == [(item, "P2", "P4")]
    coded("P2")  # the clinician says it again: decided
    assert differing(desk_store) == []
    version(4, "P3")
    version(5, "P2")  # the list agrees
    assert fact(desk_store, item) == ("P2", "Dr Hautmont", None)
    version(6, "P4")
    coded("P4")  # the clinician agrees with the list
    assert differing(desk_store) == []
    version(7, "")
    assert fact(desk_store, item) == ("P4", "Dr Hautmont", None), "a list that says nothing contradicts nobody"


def test_a_list_that_drops_who_is_being_rung_closes_nothing(desk_store: Store, tmp_path: Path) -> None:
    agent = agent_of(desk_store, "amelie")
    first = take_in(desk_store, write(tmp_path / "bloc_v1.csv", [line(), *CROWD]))
    item = first.rows[1]["postponement"]
    (one,) = [row for row in list_queue(desk_store, "arlon", now=NOW).rows if row.patient.startswith("NOIRET")]
    card = take(desk_store, one.callback_id, agent=agent, now=NOW)
    assert card.notes == ()
    take_in(desk_store, write(tmp_path / "bloc_v2.csv", CROWD))
    (line_now,) = [row for row in list_queue(desk_store, "arlon", now=NOW).rows if row.callback_id == one.callback_id]
    assert "no longer on the list «bloc_v2.csv» since version 2 of Fri 20/05" in line_now.notes[0]
    again = open_card(desk_store, one.callback_id, agent=agent, now=NOW)
    assert again.notes == line_now.notes
    assert [(held.postponement_id, held.missing_version) for held in again.items] == [(item, 2)]
    assert card.lease
    form = AttemptForm("x", one.callback_id, card.lease.generation, "no_answer", card.number, NOW)
    record_attempt(desk_store, form, agent=agent, now=NOW)
    (line_now,) = [row for row in list_queue(desk_store, "arlon", now=NOW).rows if row.callback_id == one.callback_id]
    assert line_now.attempts == 1
    take_in(desk_store, write(tmp_path / "bloc_v3.csv", [line(), *CROWD, person(40)]))
    assert open_card(desk_store, one.callback_id, agent=agent, now=NOW).notes == ()


def test_a_supervisor_decides_what_a_list_dropped(desk_store: Store, tmp_path: Path) -> None:
    """Kept, it waits in its place and the note goes; ended, nobody rings; what the list still has is not touched."""
    chef = agent_of(desk_store, "chef")
    take_in(desk_store, write(tmp_path / "bloc_v1.csv", [line(), line(acte="Phaco"), person(3), *CROWD]))
    take_in(desk_store, write(tmp_path / "bloc_v2.csv", [line(acte="Phaco"), *CROWD]))
    dropped = {row.patient.split()[0]: row for row in list_queue(desk_store, "arlon", now=NOW).rows if row.is_dropped}
    both, alone = (
        dropped["NOIRET"].callback_id,
        next(row for name, row in dropped.items() if name != "NOIRET").callback_id,
    )

    def decide(callback_id: int, decision: Dropped, agent: Any = chef) -> bool:
        return decide_dropped(
            desk_store, callback_id, decision, clinician="secrétariat", reason="vu", agent=agent, now=NOW
        )

    with pytest.raises(RuleBroken, match="supervisor"):
        decide(alone, Dropped.ENDS, agent_of(desk_store, "amelie"))
    assert decide(alone, Dropped.WAITS) is False
    with pytest.raises(RuleBroken, match="still has all"):
        decide(alone, Dropped.ENDS)
    assert decide(both, Dropped.ENDS) is False, "the other operation is still on the list"
    rows = {row.callback_id: row for row in list_queue(desk_store, "arlon", now=NOW).rows}
    assert not rows[alone].is_dropped
    assert len(rows[both].about) == 1
    take_in(desk_store, write(tmp_path / "bloc_v3.csv", CROWD))
    assert decide(both, Dropped.ENDS) is True
    assert both not in {row.callback_id for row in list_queue(desk_store, "arlon", now=NOW).rows}
