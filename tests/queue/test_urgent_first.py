"""Every free place is promised to routine patients, and then a clinician or a list says that somebody is urgent."""

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from crisisdesk.desk.callbacks import CallbackCard, take, take_next
from crisisdesk.desk.coding import code_priority
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, top_up
from crisisdesk.store import journal, tables
from waiting import World


def opened(world: World, waiting: int = 15, limits: dict[str, int] | None = None) -> list[int]:
    """One place a day, 10 days ahead, and a tenth more: 11 promises are out."""
    found = [world.callback(priority=None, original_on=date(2022, 5, 17)) for _number in range(waiting)]
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=1, limits=limits or {})
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    return found


def released(world: World) -> list[int]:
    row = tables.callback.c
    with world.store.read() as connection:
        query = select(row.id).where(row.released_at.is_not(None), row.state != "closed").order_by(row.id)
        return list(connection.scalars(query))


def code(world: World, callback_id: int, priority: str = "P1a") -> Any:
    (item,) = world.items_of(callback_id)
    return code_priority(
        world.store, item, priority, clinician="Dr Lens", agent=world.sonia, now=world.later(minutes=1)
    )


def test_who_is_coded_urgent_is_rung_next_and_no_more_promises_are_out(world: World) -> None:
    waiting = opened(world)
    assert released(world) == waiting[:11]
    code(world, waiting[14])
    assert released(world) == [*waiting[:10], waiting[14]], "the last routine one, whom nobody has rung, waits again"
    card = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(card, CallbackCard)
    assert card.callback_id == waiting[14]
    with world.store.read() as connection:
        entry = next(one for one in journal.entries(connection, limit=9) if one.action == "callbacks.released")
    assert entry.detail["released"] == [waiting[14]]
    assert entry.detail["called_back"] == [waiting[10]]


def test_nobody_makes_way_who_was_rung_or_is_being_rung_or_for_a_routine_code(world: World) -> None:
    waiting = opened(world, 14)
    world.ring(waiting[10], "no_answer")
    world.later(minutes=1)
    take(world.store, waiting[9], agent=world.amelie, now=world.now)
    code(world, waiting[12], "P4")
    assert released(world) == waiting[:11]
    code(world, waiting[13], "P2")
    assert released(world) == [*waiting[:8], *waiting[9:11], waiting[13]]


def test_the_daily_run_and_a_list_see_to_it_too(world: World) -> None:
    waiting = opened(world)
    top_up(world.store, now=world.now)
    urgent = world.callback(priority="P1b")
    assert urgent not in released(world)
    top_up(world.store, now=world.later(minutes=5), again=True)
    assert released(world) == [*waiting[:10], urgent]


def test_a_place_of_a_limited_kind_is_given_back_by_whom_it_was_promised(world: World) -> None:
    waiting = opened(world, 15, {"implant": 1})  # the hips of the world need an implant
    code(world, waiting[14])
    assert released(world) == [*waiting[:10], waiting[14]]


def test_a_list_with_somebody_urgent_is_not_left_until_tomorrow(world: World, tmp_path: Path) -> None:
    waiting = opened(world)
    top_up(world.store, now=world.now)
    path = tmp_path / "liste.csv"
    path.write_text(
        "Date op.;Nom;Prénom;Né(e) le;Tél. 1;Intervention;Prio;Service\n"
        "30/05/2022;URGENTE;Marie;12/03/1958;0471 99 88 77;Hernie;P1a;Bloc opératoire\n",
        encoding="utf-8",
    )
    import_files(world.store, [path], Options(site="arlon"), agent=world.sonia, now=world.later(minutes=5))
    assert released(world) == [*waiting[:10], 16]
