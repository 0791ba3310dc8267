"""Every act of the desk against every role: who may, who may not, and that a refusal is written down."""

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from crisisdesk.desk import rights
from crisisdesk.desk.agents import Agent, add_agent, change_role, set_active, set_sites
from crisisdesk.desk.callbacks import take, take_next
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.openingform import OpeningForm
from crisisdesk.desk.reopening import plan_opening
from crisisdesk.desk.rights import NotAllowed, SessionOver
from crisisdesk.desk.sessions import end_session, sign_in
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import OpeningState, Role
from crisisdesk.errors import RuleBroken
from crisisdesk.reports.files import permit_names
from crisisdesk.store import journal
from crisisdesk.store.engine import Store
from waiting import World

DESK = Path(rights.__file__).parent
# The matrix once more, written by hand: a right that moves in the code must be moved here by a person too.
EXPECTED = {
    "read": "agent supervisor auditor admin",
    "take_calls": "agent supervisor admin",
    "ring": "agent supervisor admin",
    "amend_patient": "agent supervisor admin",
    "book": "agent supervisor admin",
    "receipt": "agent supervisor admin",
    "steer": "supervisor admin",
    "code": "supervisor admin",
    "open_service": "supervisor admin",
    "instruct": "supervisor admin",
    "import": "supervisor admin",
    "rule": "supervisor admin",
    "close_desk": "supervisor admin",
    "back_up": "supervisor admin",
    "export": "supervisor auditor admin",
    "lead_room": "supervisor admin",
    "manage_agents": "admin",
}
OPEN_TO_ALL = {
    # What was typed is kept whatever has become of the agent; nothing else is touched.
    "drafts.save_draft", "drafts.keep_text", "drafts.list_drafts", "drafts.drop_draft", "attemptform.keep_draft",
    # One's own session and what one was told.
    "sessions.sign_out", "sessions.own_session", "sessions.enter_state", "sessions.mark_key", "sessions.move_to",
    "notices.unread_notices", "notices.acknowledge",
    # Lists and counts without an act; every read of one patient's file needs READ.
    "home.count_sites", "queue.list_queue", "queue.explain", "mine.list_mine", "undoing.last_attempt",
    "told.journal_told",
}  # fmt: skip


def acts() -> list[tuple[str, str]]:
    """(module, function) of every public function of `desk` that is handed a store and an agent."""
    found = []
    for path in sorted(DESK.rglob("*.py")):
        module = ".".join(("crisisdesk.desk", *path.relative_to(DESK).with_suffix("").parts))
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
                if names[:1] == ["store"] and "agent" in names:
                    found.append((module, node.name))
    return found


def short(module: str, name: str) -> str:
    return f"{module.rpartition('.')[2]}.{name}"


GUARDED = [one for one in acts() if short(*one) not in OPEN_TO_ALL and one[0] != "crisisdesk.desk.rights"]


@pytest.fixture
def people(desk_store: Store, world: World) -> dict[str, Agent]:
    admin = world.agent("chef")
    for login, role in (("aude", Role.AUDITOR), ("alex", Role.ADMIN)):
        add_agent(desk_store, login=login, name=login, role=role, agent=admin, now=world.now)
    logins = {"agent": "amelie", "supervisor": "sylvie", "auditor": "aude", "admin": "alex"}
    return {role: world.agent(login) for role, login in logins.items()}


def test_the_matrix_is_the_one_that_was_agreed() -> None:
    assert set(EXPECTED) == {right.value for right in Right}
    for right in Right:
        assert {role.value for role in Role if right in rights.RIGHTS_OF[role]} == set(EXPECTED[right].split())


def test_every_act_says_which_right_it_needs() -> None:
    assert len(GUARDED) > 40
    for module, _name in GUARDED:
        import_module(module)
    assert [short(*one) for one in GUARDED if short(*one) not in rights.NEEDED] == []


@pytest.mark.parametrize("role", list(Role))
def test_each_cell(people: dict[str, Agent], world: World, role: Role) -> None:
    """Every act is tried by every role with nothing sensible in hand: it gets past the guard, or it does not."""
    agent, wrong = people[role.value], []
    for module, name in GUARDED:
        act = getattr(import_module(module), name)
        allowed = role.value in EXPECTED[rights.NEEDED[short(module, name)]].split()
        before = refusals(world.store)
        is_refused = tried(act, world, agent)
        noted = len(refusals(world.store)) - len(before)
        if is_refused == allowed or noted != int(not allowed):
            wrong.append((short(module, name), allowed, is_refused, noted))
    assert wrong == []


def tried(act: Any, world: World, agent: Agent) -> bool:
    """Whether the guard refused; whatever else the act says of arguments that are none of its business here."""
    given = {
        name: None for name, one in inspect.signature(act).parameters.items()
        if name not in {"store", "agent", "now"} and one.default is inspect.Parameter.empty
    }  # fmt: skip
    try:
        act(world.store, agent=agent, now=world.now, **given)
    except NotAllowed:
        return True
    except Exception:
        return False
    return False


def refusals(store: Store) -> list[Any]:
    with store.read() as connection:
        return [entry for entry in journal.entries(connection, limit=100_000) if entry.action == "right.refused"]


def test_a_role_that_was_taken_away_counts_from_the_next_act(world: World, people: dict[str, Agent]) -> None:
    form = OpeningForm(world.service(), world.now.date(), OpeningState.CLOSED, reason="essai")
    change_role(world.store, "sylvie", Role.AGENT, agent=people["admin"], now=world.now)
    with pytest.raises(NotAllowed, match="supervisor"):
        plan_opening(world.store, form, agent=people["supervisor"], now=world.now)  # the screen still has the old role
    assert refusals(world.store)[0].detail == {
        "act": "reopening.plan_opening",
        "role": "supervisor",
        "why": "NotAllowed",
    }


def test_a_disabled_agent_can_do_nothing_more(world: World, people: dict[str, Agent]) -> None:
    set_active(world.store, "amelie", False, agent=people["admin"], now=world.now)
    with pytest.raises(SessionOver, match="disabled"):
        record_call(world.store, CallForm("u1", world.now, "informed"), agent=people["agent"], now=world.now)


def test_an_ended_session_can_do_nothing_more(world: World, people: dict[str, Agent]) -> None:
    callback = world.callback(released=True)
    me = sign_in(world.store, "amelie", now=world.now)
    end_session(world.store, me.session_id, "parti", agent=people["supervisor"], now=world.now)
    with pytest.raises(SessionOver, match="supervisor ended"):
        take(world.store, callback, agent=me, now=world.now)


def test_a_list_of_patients_leaves_the_desk_by_right_only(world: World, people: dict[str, Agent]) -> None:
    for role in Role:
        before = len(refusals(world.store))
        if role.value in EXPECTED["export"].split():
            permit_names(world.store, people[role.value].login, world.now)
        else:
            with pytest.raises(RuleBroken, match="auditor"):
                permit_names(world.store, people[role.value].login, world.now)
            assert len(refusals(world.store)) == before + 1


def test_agents_ring_and_steer_for_their_own_sites_only(world: World, people: dict[str, Agent]) -> None:
    callback = world.callback(released=True)
    for login in ("amelie", "sylvie"):
        set_sites(world.store, login, ["libramont"], agent=people["admin"], now=world.now)
    for attempt in (lambda: take(world.store, callback, agent=people["agent"], now=world.now),
                    lambda: take_next(world.store, "arlon", agent=people["agent"], now=world.now)):  # fmt: skip
        with pytest.raises(NotAllowed, match="Arlon"):
            attempt()
    form = OpeningForm(world.service(), world.now.date(), OpeningState.CLOSED, reason="essai")
    with pytest.raises(NotAllowed, match="Arlon"):
        plan_opening(world.store, form, agent=people["supervisor"], now=world.now)
    assert len(refusals(world.store)) == 3
    set_sites(world.store, "amelie", [], agent=people["admin"], now=world.now)
    assert take(world.store, callback, agent=people["agent"], now=world.now).lease
