"""Signing in, being somewhere twice, what an agent does when, and the room."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from crisisdesk.desk.agents import find_agent, set_active
from crisisdesk.desk.callbacks import hold_lost, release_lease, take
from crisisdesk.desk.drafts import save_draft
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.rights import NotAllowed, SessionOver
from crisisdesk.desk.sessions import (
    SignedInElsewhere,
    end_session,
    enter_state,
    list_room,
    own_session,
    process_lives,
    sign_in,
    sign_out,
    this_process,
)
from crisisdesk.domain.words import Ending, PauseReason, WorkState
from crisisdesk.errors import RuleBroken
from crisisdesk.store.engine import Store
from waiting import World


def sessions(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(
            "SELECT agent.login, ended_why FROM session JOIN agent ON agent.id = agent_id ORDER BY session.id"
        )]  # type: ignore[misc]  # fmt: skip


def spells(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(
            "SELECT state, reason, coalesce(site_id, '') FROM work_state ORDER BY id"
        )]  # fmt: skip


def test_one_live_session_an_agent(world: World) -> None:
    first = sign_in(world.store, "amelie", now=world.now, origin="10.1.2.3 pts/4")
    with pytest.raises(SignedInElsewhere, match=r"10\.1\.2\.3") as elsewhere:
        sign_in(world.store, "amelie", now=world.later(minutes=5))
    assert elsewhere.value.since == world.now - timedelta(minutes=5)
    second = sign_in(world.store, "amelie", now=world.now, take_over=True)
    assert sessions(world.store) == [("amelie", "replaced"), ("amelie", "")]
    with pytest.raises(SessionOver, match="another terminal"):
        own_session(world.store, agent=first, now=world.now)
    assert own_session(world.store, agent=second, now=world.now).state is WorkState.READY


def test_what_the_screens_of_a_replaced_session_still_tell_is_not_told_of_the_new_one(world: World) -> None:
    first = sign_in(world.store, "amelie", now=world.now)
    second = sign_in(world.store, "amelie", now=world.now, take_over=True)
    assert not enter_state(world.store, WorkState.AWAY, agent=first, now=world.later(minutes=1))
    assert own_session(world.store, agent=second, now=world.now).state is WorkState.READY


def test_a_session_whose_process_has_gone_is_not_asked_about(world: World) -> None:
    program = "from crisisdesk.desk.sessions import this_process; print(this_process())"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    gone = ran.stdout.strip()
    assert not process_lives(gone)
    sign_in(world.store, "amelie", now=world.now, process=gone)
    assert list_room(world.store)[0].is_gone
    sign_in(world.store, "amelie", now=world.now)
    assert sessions(world.store) == [("amelie", "gone"), ("amelie", "")]


def test_a_process_is_known_by_its_start_not_only_by_its_number() -> None:
    boot, number, started = this_process().rsplit(":", 2)
    assert int(number) == os.getpid()
    assert process_lives(this_process())
    assert not process_lives(f"{boot}:{number}:{int(started) - 1}")
    assert not process_lives(f"another-boot:{number}:{started}")
    assert not process_lives("")


def test_no_session_outlives_its_longest_age(world: World) -> None:
    sign_in(world.store, "amelie", now=world.now)
    sign_in(world.store, "amelie", now=world.later(hours=12))
    assert sessions(world.store)[0] == ("amelie", "aged")


def test_an_act_in_a_session_that_is_too_old_is_refused(world: World) -> None:
    callback = world.callback(released=True)
    me = sign_in(world.store, "amelie", now=world.now)
    world.later(hours=12)
    with pytest.raises(SessionOver, match="is over"):
        own_session(world.store, agent=me, now=world.now)
    with pytest.raises(SessionOver, match="is over"):
        take(world.store, callback, agent=me, now=world.now)


def test_a_disabled_agent_is_out_and_stays_out(world: World) -> None:
    me = sign_in(world.store, "amelie", now=world.now)
    set_active(world.store, "amelie", False, agent=world.agent("chef"), now=world.now)
    with pytest.raises(SessionOver, match="disabled"):
        own_session(world.store, agent=me, now=world.now)
    with pytest.raises(RuleBroken, match="disabled"):
        sign_in(world.store, "amelie", now=world.now)
    assert sessions(world.store) == [("amelie", "disabled")]
    assert save_draft(world.store, uid="d1", kind="call", fields={"last": "Dupont"}, agent=me, now=world.now)


def test_what_a_disabled_agent_held_is_free_at_once(world: World) -> None:
    callback = world.callback(released=True)
    card = take(world.store, callback, agent=sign_in(world.store, "amelie", now=world.now), now=world.now)
    assert card.lease
    assert hold_lost(world.store, card.lease) == ""
    set_active(world.store, "amelie", False, agent=world.agent("chef"), now=world.now)
    assert "given back" in hold_lost(world.store, card.lease)
    assert take(world.store, callback, agent=world.bruno, now=world.now).lease


def test_what_an_agent_does_follows_the_work(world: World) -> None:
    me = sign_in(world.store, "amelie", now=world.now)
    card = take(world.store, world.callback(released=True), agent=me, now=world.later(seconds=1))
    assert card.lease
    enter_state(world.store, WorkState.WRAP_UP, agent=me, now=world.later(minutes=3))
    release_lease(world.store, card.lease, "numéro occupé", agent=me, now=world.later(minutes=1))
    enter_state(world.store, WorkState.CALL, agent=me, now=world.later(seconds=5))
    form = CallForm("u1", world.now, "informed", phone="063231111")
    record_call(world.store, form, agent=me, now=world.later(minutes=2))
    enter_state(world.store, WorkState.PAUSE, agent=me, now=world.later(minutes=1), reason=PauseReason.MEAL)
    assert [state for state, _reason, _site in spells(world.store)] == [
        "ready", "call", "wrap_up", "ready", "call", "ready", "pause",
    ]  # fmt: skip
    assert spells(world.store)[1] == ("call", "", "arlon")
    seat = list_room(world.store)[0]
    assert (seat.state, seat.reason, seat.state_at, seat.is_gone) == (WorkState.PAUSE, "meal", world.now, False)


def test_the_same_state_twice_is_one_spell_and_a_command_has_none(world: World) -> None:
    assert not enter_state(world.store, WorkState.CALL, agent=world.amelie, now=world.now)
    me = sign_in(world.store, "amelie", now=world.now)
    assert not enter_state(world.store, WorkState.READY, agent=me, now=world.later(minutes=1))
    assert len(spells(world.store)) == 1
    with pytest.raises(RuleBroken, match="pause"):
        enter_state(world.store, WorkState.PAUSE, agent=me, now=world.now, reason="")


def test_the_room_shows_who_holds_what(world: World) -> None:
    me = sign_in(world.store, "amelie", now=world.now, origin="10.1.2.3 pts/4")
    sign_in(world.store, "sylvie", now=world.now)
    callback = world.callback(released=True)
    take(world.store, callback, agent=me, now=world.now)
    save_draft(world.store, uid="d1", kind="call", fields={"last": "Dupont"}, agent=me, now=world.now)
    amelie, sylvie = list_room(world.store)
    assert (amelie.name, amelie.callback_id, amelie.drafts, amelie.origin) == ("Amélie", callback, 1, "10.1.2.3 pts/4")
    assert amelie.lease_until
    assert amelie.lease_until > world.now
    assert (sylvie.callback_id, sylvie.drafts) == (None, 0)


def test_supervisors_end_a_session_with_a_reason_and_agents_do_not(world: World) -> None:
    me = sign_in(world.store, "amelie", now=world.now)
    with pytest.raises(NotAllowed):
        end_session(world.store, me.session_id, "parti", agent=world.bruno, now=world.now)
    with pytest.raises(RuleBroken, match="why"):
        end_session(world.store, me.session_id, " ", agent=world.sonia, now=world.now)
    end_session(world.store, me.session_id, "parti sans fermer", agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match="over already"):
        end_session(world.store, me.session_id, "encore", agent=world.sonia, now=world.now)
    assert not sign_out(world.store, Ending.QUIT, agent=me, now=world.now)
    assert sessions(world.store) == [("amelie", "ended")]
    assert find_agent(world.store, "amelie")
