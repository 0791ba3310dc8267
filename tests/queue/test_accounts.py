"""The inspector finds what is wrong: every account is broken once by hand, and said so in words."""

from datetime import date

import pytest

import accounts
from accounts import faults, journal_fault
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.store.engine import Store
from waiting import World

BROKEN = {
    "open callbacks at": "DROP INDEX callback_one_open;"
    " INSERT INTO callback (patient_id, site_id, tier, due_at, created_at)"
    " SELECT patient_id, site_id, tier, due_at, created_at FROM callback WHERE id = 1",
    "live leases": "UPDATE callback SET state = 'leased', leased_by = 2, leased_at = created_at,"
    " lease_until = '2023-01-01 00:00:00.000000' WHERE id IN (1, 2)",
    "with a lease of agent": "UPDATE callback SET lease_until = created_at WHERE id = 1",
    "in no open callback": "UPDATE callback SET state = 'closed', closed_at = created_at WHERE id = 1",
    "waits in callback": "UPDATE callback SET site_id = 'marche' WHERE id = 1",
    "open callbacks": "INSERT INTO callback_item SELECT 2, postponement_id, added_at FROM callback_item"
    " WHERE callback_id = 1",
    "for whom patient": "UPDATE patient SET merged_into_id = 2 WHERE id = 1",
    "is of patient": "UPDATE patient SET merged_into_id = 2 WHERE id = 1",
    "but the death of patient": "UPDATE patient SET death_reported_at = created_at, death_confirmed_by = 1"
    " WHERE id = 1",
    "is told for 2022-06-08, but the death": "UPDATE patient SET death_reported_at = created_at, death_confirmed_by = 1"
    " WHERE id = 4",
    "is still owed a call": "UPDATE postponement SET rebooked_at = NULL, decided_at = NULL WHERE id = 4",
    "hold two places": "DROP INDEX booking_one_told; INSERT INTO booking (postponement_id, service_id, slot_on, state,"
    " told_at, agent_id) SELECT postponement_id, service_id, slot_on, state, told_at, agent_id FROM booking",
    "2 told, 1 places": "DROP INDEX booking_one_told; INSERT INTO booking (postponement_id, service_id, slot_on, state,"
    " told_at, agent_id) SELECT 1, service_id, slot_on, state, told_at, agent_id FROM booking",
    "0 places for them": "UPDATE opening SET limits = '{\"implant\": 0}'",
    "accepted a day in an attempt, and has no place": "UPDATE booking SET state = 'withdrawn', withdrawn_at = told_at",
    "was taken back and nobody rings": "UPDATE booking SET state = 'withdrawn', withdrawn_at = told_at;"
    " UPDATE postponement SET rebooked_at = NULL, decided_at = NULL WHERE id = 4",
    "is closed and on hold": "UPDATE callback SET state = 'closed', closed_at = created_at, hold = 'review'"
    " WHERE id = 1",
    "within the rest": "INSERT INTO attempt (uid, callback_id, agent_id, generation, started_at, ended_at, entered_at,"
    " disposition, reach, next_step) SELECT uid || 'x', callback_id, agent_id, generation, started_at, ended_at,"
    " entered_at, disposition, reach, next_step FROM attempt",
    "settled by a death that nobody confirmed": "UPDATE postponement SET decision = 'deceased', decided_at = created_at"
    " WHERE id = 1",
    "stands at": "UPDATE callback SET tier = 0 WHERE id = 2",
}


@pytest.fixture
def desk(world: World) -> World:
    """Three who wait, one of them on the line, and one who accepted the only place of 8 June."""
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=1)
    for _number in range(3):
        world.callback(released=True)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    booked = world.callback(released=True)
    world.ring(booked, "accepts_date", slots=dict.fromkeys(world.items_of(booked), date(2022, 6, 8)))
    take(world.store, 3, agent=world.bruno, now=world.now)
    assert faults(world.store, world.now, in_turn=True) == []
    return world


@pytest.mark.parametrize("words", BROKEN)
def test_what_is_broken_is_found(desk: World, words: str) -> None:
    break_it(desk.store, BROKEN[words])
    found = faults(desk.store, desk.now, in_turn=True)
    assert any(words in fault for fault in found), found


def break_it(store: Store, statements: str) -> None:
    """Break also what the schema itself forbids."""
    with store.write() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        for statement in statements.split(";"):
            connection.exec_driver_sql(statement)


def test_a_count_that_leaves_somebody_out_is_found(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = accounts.count_coverage
    monkeypatch.setattr(accounts, "count_coverage", lambda connection, **span: counted(connection, **span)[1:])
    assert any("coverage" in fault for fault in faults(desk.store, desk.now))


def test_a_list_in_another_order_is_found(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = accounts.list_queue

    def backwards(*arguments: object, **more: object) -> object:
        queue = listed(*arguments, **more)  # type: ignore[arg-type]
        queue.rows.reverse()  # type: ignore[attr-defined]
        return queue

    monkeypatch.setattr(accounts, "list_queue", backwards)
    found = faults(desk.store, desk.now)
    assert any("no order" in fault for fault in found)
    assert any("positions" in fault for fault in found)


def test_a_line_without_reasons_is_found(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from crisisdesk.desk import wording

    monkeypatch.setattr(wording, "why_here", lambda *_arguments: "")
    assert any("does not say why here" in fault for fault in faults(desk.store, desk.now))


def test_what_no_list_shows_is_found(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(desk.store, "UPDATE callback SET state = 'closed', closed_at = created_at WHERE id = 1")
    monkeypatch.setattr(accounts, "list_unplaced", lambda _connection, _most: [])
    assert any("not listed as unplaced" in fault for fault in faults(desk.store, desk.now))


def test_a_journal_that_was_changed_is_found(desk: World) -> None:
    assert journal_fault(desk.store) == ""
    break_it(desk.store, "DROP TRIGGER journal_no_update; UPDATE journal SET agent = 'x' WHERE seq = 3")
    assert "3" in journal_fault(desk.store)
