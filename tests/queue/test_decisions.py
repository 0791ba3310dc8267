"""What waits for a person is shown and can be decided; what is in no queue is shown and can be given one."""

import pytest
from sqlalchemy import update

from crisisdesk.desk.callbacks import list_queue, take
from crisisdesk.desk.patients import report_death
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.desk.reviews import Decision, decide_review, list_held
from crisisdesk.desk.unplaced import list_unplaced, place_item
from crisisdesk.errors import RuleBroken
from crisisdesk.store import journal, tables
from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.queue import QueueScreen
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


def declined(world: World) -> int:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "declines", note="ne veut plus")
    world.later(hours=1)
    return callback_id


def decide(world: World, callback_id: int, decision: Decision, **more: object) -> None:
    said = {"clinician": "Dr Lambert", "reason": "vu avec le patient", "agent": world.sonia, **more}
    decide_review(world.store, callback_id, decision, now=world.now, **said)  # type: ignore[arg-type]


def test_everything_on_hold_is_listed_with_what_was_said_last(world: World) -> None:
    review, search, dead = declined(world), world.callback(released=True), world.callback(site_id="marche")
    world.ring(search, "wrong_number")
    report_death(world.store, world.row(dead).patient_id, agent=world.amelie, now=world.now)
    world.callback(released=True)
    held = {row.callback_id: row for row in list_held(world.store, now=world.now)}
    assert {key: row.hold for key, row in held.items()} == {
        review: "review", search: "number_search", dead: "confirm_death",
    }  # fmt: skip
    assert held[review].note == "ne veut plus"
    assert "Amélie" in held[review].said
    assert [row.callback_id for row in list_held(world.store, "marche", now=world.now)] == [dead]


def test_a_clinician_lets_it_be_rung_again(world: World) -> None:
    callback_id = declined(world)
    decide(world, callback_id, Decision.RESUME)
    assert take(world.store, callback_id, agent=world.bruno, now=world.now).lease
    assert world.row(callback_id).unanswered == 0
    with world.store.read() as connection:
        told = journal.entries(connection, subject="callback", subject_id=str(callback_id))
    (entry,) = [entry for entry in told if entry.action == "callback.review_decided"]
    assert (entry.agent, entry.detail["clinician"], entry.detail["hold"]) == ("sonia", "Dr Lambert", ["review", ""])


def test_a_clinician_ends_it_and_nobody_owes_a_call(world: World) -> None:
    callback_id = declined(world)
    decide(world, callback_id, Decision.CLOSE)
    (item,) = world.items_of(callback_id)
    assert world.row(callback_id).state == "closed"
    assert (world.fact(item).decided_at, world.fact(item).decided_by) == (world.now, "Dr Lambert")
    assert list_unplaced(world.store, now=world.now).count == 0
    with pytest.raises(RuleBroken, match="no decision"):
        decide(world, callback_id, Decision.RESUME)


def test_a_decision_needs_a_supervisor_a_name_a_reason_a_number_and_a_living_patient(world: World) -> None:
    callback_id = declined(world)
    for more in ({"agent": world.amelie}, {"clinician": " "}, {"reason": ""}):
        with pytest.raises(RuleBroken):
            decide(world, callback_id, Decision.RESUME, **more)
    search = world.callback(released=True)
    world.ring(search, "wrong_number")
    with pytest.raises(RuleBroken, match="number"):
        decide(world, search, Decision.RESUME)
    report_death(world.store, world.row(callback_id).patient_id, agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="death"):
        decide(world, callback_id, Decision.CLOSE)
    assert world.row(callback_id).hold == "review"


# ---------------------------------------------------------------- in no queue


def lost(world: World, **values: object) -> int:
    """A postponement of which the list does not say all."""
    item = world.postponement(world.patient())
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(update(table).where(table.c.id == item).values(values))
    return item


def test_what_is_in_no_queue_is_shown_and_given_a_place(world: World) -> None:
    nowhere = lost(world, site_id=None, service_id=None, service_name="bloc")
    world.callback()
    settled_one = world.callback(released=True)
    world.ring(settled_one, "treated_elsewhere", note="à Luxembourg")
    found = list_unplaced(world.store, now=world.now)
    assert [item.postponement_id for item in found.items] == [nowhere]
    with pytest.raises(RuleBroken, match="supervisor"):
        place_item(world.store, nowhere, "arlon", world.service(), agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="none of that site"):
        place_item(world.store, nowhere, "marche", world.service(), agent=world.sonia, now=world.now)
    callback_id = place_item(world.store, nowhere, "arlon", world.service(), agent=world.sonia, now=world.now)
    assert world.items_of(callback_id) == [nowhere]
    assert list_unplaced(world.store, now=world.now).count == 0
    with pytest.raises(RuleBroken, match="in a queue"):
        place_item(world.store, nowhere, "arlon", world.service(), agent=world.sonia, now=world.now)


def test_a_callback_without_a_service_is_released_once_it_has_one(world: World) -> None:
    callback_id = world.callback()
    with world.store.write() as connection:
        connection.execute(update(tables.postponement).values(service_id=None))
    (item,) = [item.postponement_id for item in list_unplaced(world.store, now=world.now).items]
    assert place_item(world.store, item, "arlon", world.service(), agent=world.sonia, now=world.now) == callback_id
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=3)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    (row,) = list_queue(world.store, "arlon", now=world.now).rows
    assert row.reason == "ready"


# ---------------------------------------------------------------- the screens


@pytest.fixture
def shown(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


async def test_the_queue_screen_shows_what_waits_for_a_clinician_and_stores_the_decision(shown: World) -> None:
    shown.callback(released=True)
    callback_id = shown.callback(released=True)
    shown.ring(callback_id, "declines", note="ne veut plus")
    async with open_screens(shown.store, "queue", login="sonia", language="en") as pilot:
        await type_text(pilot, "d")
        assert "waits for no clinician" in screen_text(pilot)
        await type_text(pilot, "h")
        assert "only: with a clinician (f), 1 hidden" in screen_text(pilot)
        await type_text(pilot, "d")
        await pilot.press("escape")
        await settled(pilot)
        assert "Clinician" not in screen_text(pilot)
        await type_text(pilot, "d1\tDr Lambert\tvu\r")
        text = screen_text(pilot)
        assert isinstance(pilot.app.screen, QueueScreen)
    assert shown.row(callback_id).hold == "", text


async def test_the_screen_of_what_is_in_no_queue_gives_it_a_place(shown: World) -> None:
    item = lost(shown, site_id=None, service_id=None, service_name="bloc", procedure="PTG")
    async with open_screens(shown.store, "unplaced", login="sonia", language="en") as pilot:
        assert "PTG" in screen_text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await type_text(pilot, "Arlon\tBloc\r")
        text = screen_text(pilot)
    assert shown.fact(item).site_id == "arlon", text
