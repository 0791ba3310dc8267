"""The desk is closed: everything goes to the services, nobody is rung, and it can be opened again."""

import pytest
from sqlalchemy import func, select

from crisisdesk.desk.acknowledging import answer_lines
from crisisdesk.desk.callbacks import take, take_next
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.closing import close_desk, preview_closing, reopen_desk
from crisisdesk.desk.handovers import list_offers, make_handover, read_handover
from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import HandoverState
from crisisdesk.errors import RuleBroken
from crisisdesk.store import callbacks, tables
from crisisdesk.store.items import is_unsettled
from waiting import World


def open_items(world: World) -> set[int]:
    with world.store.read() as connection:
        return set(connection.scalars(select(tables.postponement.c.id).where(is_unsettled())))


def offered(world: World) -> list[int]:
    line = tables.handover_item.c
    with world.store.read() as connection:
        return list(connection.scalars(select(line.postponement_id).where(line.state == HandoverState.OFFERED)))


@pytest.fixture
def busy(world: World) -> World:
    """Two sites, a service that has its list already, an item without a site, a patient who only asked to be rung."""
    world.callback(released=True, items=2)
    world.callback(site_id="marche")
    stray = world.postponement(world.patient())
    asked = world.patient()
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(
            table.update().where(table.c.id == stray).values(site_id=None, service_id=None, service_name="?")
        )
        callbacks.hold(
            connection, patient_id=asked, site_id="arlon", postponement_ids=[], wish=Wish(words="rappeler"),
            released=True, call_id=None, agent_id=1, now=world.now,
        )  # fmt: skip
    make_handover(world.store, "marche", None, reason="Marche d'abord", agent=world.sonia, now=world.now)
    world.later(minutes=5)
    return world


def test_everything_open_is_on_exactly_one_list(busy: World) -> None:
    seen = preview_closing(busy.store, now=busy.now)
    assert (seen.count, seen.asked, seen.closed_at) == (4, 1, None)
    closed = close_desk(busy.store, reason="Fin de crise", agent=busy.sonia, now=busy.now)
    assert closed.count == 4
    assert sorted(offered(busy)) == sorted(open_items(busy)), "each once, none left out"
    assert sum(offer.free for offer in list_offers(busy.store)) == 0


def test_nobody_is_rung_but_calls_end_and_answers_go_on(busy: World) -> None:
    other = busy.callback(released=True)
    card = take(busy.store, other, agent=busy.bruno, now=busy.now)
    assert preview_closing(busy.store, now=busy.now).ringing == ["Bruno"]
    close_desk(busy.store, reason="Fin", agent=busy.sonia, now=busy.now)
    assert load_reference(busy.store).desk.closed_at == busy.now
    answer = take_next(busy.store, "arlon", agent=busy.amelie, now=busy.now)
    assert not isinstance(answer, CallbackCard)
    assert answer.reason in ("desk_closed", "closed")
    assert card.lease
    assert busy.row(other).state == "leased", "a call that is being made may end"
    lists = [row.handover_id for row in handovers_of(busy)]
    busy.later(hours=1)
    for number in lists:
        lines = [line.number for line in read_handover(busy.store, number, now=busy.now).lines]
        answer_lines(
            busy.store, number, lines, HandoverState.ACKNOWLEDGED, answered_by="Mme Petit", agent=busy.sonia,
            now=busy.now,
        )  # fmt: skip
    assert open_items(busy) == set()
    callback = tables.callback.c
    with busy.store.read() as connection:
        query = select(func.count()).select_from(tables.callback).where(callback.state != "closed")
        assert connection.scalar(query) == 0


def handovers_of(world: World) -> list[tuple[int, ...]]:
    from crisisdesk.desk.handovers import list_handovers

    return list(list_handovers(world.store))  # type: ignore[arg-type]


def test_after_a_second_wave_what_nobody_acknowledged_is_rung_again(busy: World) -> None:
    close_desk(busy.store, reason="Fin", agent=busy.sonia, now=busy.now)
    busy.later(hours=1)
    count = reopen_desk(busy.store, reason="Deuxième vague", agent=busy.sonia, now=busy.now)
    assert count == len(open_items(busy)) == 5
    assert isinstance(take_next(busy.store, "arlon", agent=busy.amelie, now=busy.now), CallbackCard)
    with pytest.raises(RuleBroken, match="is open"):
        reopen_desk(busy.store, reason="x", agent=busy.sonia, now=busy.now)


def test_closing_twice_by_an_agent_or_without_a_reason(busy: World) -> None:
    with pytest.raises(RuleBroken, match="supervisor"):
        close_desk(busy.store, reason="x", agent=busy.amelie, now=busy.now)
    with pytest.raises(RuleBroken, match="why"):
        close_desk(busy.store, reason=" ", agent=busy.sonia, now=busy.now)
    close_desk(busy.store, reason="Fin", agent=busy.sonia, now=busy.now)
    with pytest.raises(RuleBroken, match="closed already"):
        close_desk(busy.store, reason="Fin", agent=busy.sonia, now=busy.now)


def test_an_empty_desk_can_be_closed(world: World) -> None:
    assert close_desk(world.store, reason="Rien", agent=world.sonia, now=world.now).count == 0
    journal = tables.journal.c
    with world.store.read() as connection:
        assert connection.scalar(select(func.count()).where(journal.action == "desk.closed")) == 1
