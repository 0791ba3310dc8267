"""Promises to ring in person, and promised windows: kept by their owner, by anybody when the owner is away, or shown
as broken. With two agents and a clock."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk.agents import set_active
from crisisdesk.desk.callbacks import NothingNow, list_queue, open_card, renew, take, take_next
from crisisdesk.desk.home import count_sites
from crisisdesk.desk.intake import CallForm, FormRefused, record_call
from crisisdesk.desk.sessions import sign_in
from crisisdesk.domain.wishes import Wish
from crisisdesk.store import callbacks, tables
from crisisdesk.store.agents import mark_seen
from waiting import World


def seen(world: World, agent: Any) -> None:
    with world.store.write() as connection:
        mark_seen(connection, agent.agent_id, world.now)


def promised(
    world: World, start: float = 0, end: float | None = 2, *, site_id: str = "arlon", priority: str = "P4"
) -> int:
    """Bruno promises to ring between two hours from now."""
    patient_id = world.patient()
    item = world.postponement(patient_id, site_id=site_id, priority=priority)
    wish = Wish(
        not_before=world.now + timedelta(hours=start) if start else None,
        until=world.now + timedelta(hours=end) if end is not None else None,
    )
    with world.store.write() as connection:
        mark_seen(connection, world.bruno.agent_id, world.now)
        return callbacks.hold(
            connection, patient_id=patient_id, site_id=site_id, postponement_ids=[item], wish=wish, released=True,
            call_id=None, agent_id=world.bruno.agent_id, now=world.now, for_agent_id=world.bruno.agent_id,
        )  # fmt: skip


def next_of(world: World, agent: Any, site_id: str = "arlon") -> int | None:
    answer = take_next(world.store, site_id, agent=agent, now=world.now)
    return None if isinstance(answer, NothingNow) else answer.callback_id


def line(world: World, callback_id: int, agent: Any = None) -> Any:
    rows = list_queue(world.store, "arlon", now=world.now, agent=agent).rows
    return next(row for row in rows if row.callback_id == callback_id)


def test_it_is_served_first_to_its_owner_and_to_nobody_else(world: World) -> None:
    mine = promised(world)
    urgent = world.callback(released=True, priority="P1a")
    assert line(world, mine).reason == "personal"
    assert line(world, mine, world.bruno).reason == "ready"
    assert "you promised" in line(world, mine, world.bruno).notes[-1]
    assert next_of(world, world.amelie) == urgent
    world.ring(urgent, "no_answer")
    answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(answer, NothingNow)
    assert answer.reason == "later"
    world.callback(released=True, priority="P1a")
    assert next_of(world, world.bruno) == mine


def test_its_owner_gets_it_at_whatever_site(world: World) -> None:
    mine = promised(world, site_id="marche")
    world.callback(released=True, priority="P1a")
    queue = list_queue(world.store, "arlon", now=world.now, agent=world.bruno)
    assert queue.mine_elsewhere == {"marche": 1}
    assert list_queue(world.store, "arlon", now=world.now, agent=world.amelie).mine_elsewhere == {}
    assert next_of(world, world.bruno) == mine


def test_before_its_time_it_waits_for_its_owner_too(world: World) -> None:
    mine = promised(world, 1, 3)
    other = world.callback(released=True)
    assert line(world, mine, world.bruno).reason == "not_before"
    assert next_of(world, world.bruno) == other


def test_it_goes_back_to_the_pool_while_its_owner_is_absent(world: World) -> None:
    mine = promised(world, end=5)
    absent = world.reference.desk.absent_seconds
    world.later(seconds=absent - 1)
    assert line(world, mine).reason == "personal"
    assert next_of(world, world.amelie) is None
    world.later(seconds=1)
    row = line(world, mine)
    assert row.reason == "ready"
    assert "promised by Bruno, who is absent since 10:00: anybody may ring" in row.notes
    seen(world, world.bruno)  # back at the desk
    assert line(world, mine).reason == "personal"
    assert next_of(world, world.amelie) is None
    world.later(seconds=absent)
    assert next_of(world, world.amelie) == mine


def test_it_goes_back_to_the_pool_when_its_time_is_nearly_over(world: World) -> None:
    mine = promised(world, end=1)
    lease = world.reference.desk.lease_seconds
    world.later(seconds=3600 - lease - 1)
    seen(world, world.bruno)
    assert line(world, mine).reason == "personal"
    assert "10:50" in line(world, mine).why_not
    world.later(seconds=1)
    assert "nearly over" in " ".join(line(world, mine).notes)
    assert next_of(world, world.amelie) == mine


def test_without_an_end_it_stays_with_its_owner_while_present(world: World) -> None:
    mine = promised(world, end=None)
    for _hour in range(4):
        world.later(hours=1)
        seen(world, world.bruno)
        assert line(world, mine).reason == "personal"
    world.later(hours=1)
    assert next_of(world, world.amelie) == mine


def test_an_agent_who_left_the_desk_keeps_nothing(world: World) -> None:
    mine = promised(world)
    set_active(world.store, "bruno", False, agent=world.agent("chef"), now=world.now)
    assert "no longer at this desk" in " ".join(line(world, mine).notes)
    assert next_of(world, world.amelie) == mine


def test_take_list_counts_and_home_agree(world: World) -> None:
    promised(world)
    world.callback(released=True)
    for agent, ready in ((world.amelie, 1), (world.bruno, 2)):
        queue = list_queue(world.store, "arlon", now=world.now, agent=agent)
        assert queue.counts["ready"] == ready == sum(not row.why_not for row in queue.rows)
        (arlon,) = [one for one in count_sites(world.store, now=world.now, agent=agent) if one.site_id == "arlon"]
        assert arlon.ringable == ready


def seen_at(world: World, agent: Any) -> Any:
    with world.store.read() as connection:
        return connection.scalar(select(tables.agent.c.seen_at).where(tables.agent.c.id == agent.agent_id))


def test_presence_is_what_an_agent_does_and_never_set_back(world: World) -> None:
    callback_id = world.callback(released=True)
    assert seen_at(world, world.bruno) is None
    sign_in(world.store, "bruno", now=world.now)
    assert seen_at(world, world.bruno) == world.now
    card = take(world.store, callback_id, agent=world.bruno, now=world.later(minutes=5))
    assert seen_at(world, world.bruno) == world.now
    assert card.lease
    renew(world.store, card.lease, now=world.later(minutes=5))
    assert seen_at(world, world.bruno) == world.now
    world.ring(callback_id, "busy", agent=world.bruno)
    world.later(minutes=5)
    take_next(world.store, "arlon", agent=world.bruno, now=world.now)
    assert seen_at(world, world.bruno) == world.now
    take_next(world.store, "arlon", agent=world.bruno, now=world.now - timedelta(hours=1))
    assert seen_at(world, world.bruno) == world.now
    open_card(world.store, callback_id, agent=world.amelie, now=world.now)
    assert seen_at(world, world.amelie) is None, "to look is not to work at the desk"


def test_the_window_is_kept_or_shown_as_broken(world: World) -> None:
    kept, broken = promised(world, end=2), promised(world, 0.5, 1)
    waiting = world.callback(released=True)
    assert line(world, kept, world.bruno).notes[0] == "promised before 12:00: to be kept until 12:00"
    assert line(world, broken).notes[0] == "promised 10:30-11:00: to be kept until 11:00"
    world.later(minutes=90)
    queue = list_queue(world.store, "arlon", now=world.now)
    assert queue.broken == 1
    assert [row.callback_id for row in queue.rows if row.is_broken] == [broken]
    assert line(world, broken).notes[0] == "promised 10:30-11:00: broken since 11:00"
    only = list_queue(world.store, "arlon", now=world.now, only="broken")
    assert [row.callback_id for row in only.rows] == [broken]
    assert only.hidden == 2
    assert open_card(world.store, broken, agent=world.amelie, now=world.now).notes[0].endswith("broken since 11:00")
    world.ring(broken, "no_answer", agent=world.amelie)  # late, but rung
    assert list_queue(world.store, "arlon", now=world.now).broken == 0
    assert line(world, waiting).notes == ()
    with world.store.read() as connection:
        attempt = connection.execute(select(tables.attempt)).one()
    assert attempt.promised_until < attempt.started_at, "the figures of the day see it"


def test_asks_later_by_myself_from_a_callback(world: World) -> None:
    callback_id = world.callback(released=True)
    asked = Wish(not_before=world.now + timedelta(hours=2), until=world.now + timedelta(hours=4), words="14h")
    world.ring(callback_id, "asks_later", agent=world.bruno, asked=asked, in_person=True)
    assert world.row(callback_id).for_agent_id == world.bruno.agent_id
    mine = list_queue(world.store, "arlon", now=world.now, only="personal", agent=world.bruno)
    assert [row.callback_id for row in mine.rows] == [callback_id], "one finds one's own promises with the filter"
    assert not list_queue(world.store, "arlon", now=world.now, only="personal", agent=world.amelie).rows
    world.later(hours=2)
    seen(world, world.bruno)
    assert line(world, callback_id).reason == "personal"
    world.ring(callback_id, "no_answer", agent=world.bruno)
    assert world.row(callback_id).for_agent_id is None, "the promise was kept: it is anybody's now"


def form(world: World, **about: Any) -> CallForm:
    known = {
        "uid": f"personal-{world.patient()}", "started_at": world.now, "disposition": "callback_at",
        "phone": "063 23 11 11", "last_name": "Dupont", "first_name": "Marie", "site_id": "arlon",
        "wish": "demain matin", "in_person": True,
    }  # fmt: skip
    return CallForm(**(known | about))


def test_promised_in_a_call(world: World) -> None:
    saved = record_call(world.store, form(world), agent=world.bruno, now=world.now)
    (callback_id,) = saved.callbacks
    row = world.row(callback_id)
    assert (row.for_agent_id, row.asked_at) == (world.bruno.agent_id, world.now)
    assert seen_at(world, world.bruno) == world.now
    later = replace(form(world), patient_ids=saved.patient_ids, in_person=False, wish="14/06 10h")
    record_call(world.store, later, agent=world.amelie, now=world.now)
    assert world.row(callback_id).for_agent_id is None, "another moment was agreed by somebody else"


def test_only_with_an_agreed_moment(world: World) -> None:
    with pytest.raises(FormRefused, match="in person"):
        record_call(world.store, form(world, disposition="callback", wish=""), agent=world.bruno, now=world.now)
