"""Drafts of two sessions of one agent: the older one's late words never take the place of the newer one's."""

from datetime import timedelta
from typing import Any

import pytest

from crisisdesk.desk import drafts
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.drafts import Draft, keep_text, list_drafts, save_draft
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.errors import StoreUnavailable
from crisisdesk.store.engine import Store
from moments import DESK_NOW as NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def texts(store: Store, agent: Agent) -> dict[str, str]:
    return {draft.uid: draft.fields["words"] for draft in list_drafts(store, agent=agent)}


def say(store: Store, agent: Agent, words: str, at: float, **more: object) -> str:
    kept = keep_text(store, uid="u", kind="call", fields={"words": words}, agent=agent, now=NOW + minutes(at), **more)  # type: ignore[arg-type]
    return kept.uid


def test_a_late_save_is_kept_as_a_draft_of_its_own(desk_store: Store, amelie: Agent) -> None:
    say(desk_store, amelie, "old", 0)
    assert say(desk_store, amelie, "newer session", 2, seen_at=NOW) == "u"
    late = say(desk_store, amelie, "old and late", 3, seen_at=NOW)
    assert texts(desk_store, amelie) == {"u": "newer session", late: "old and late"}
    (draft,) = [one for one in list_drafts(desk_store, agent=amelie) if one.uid == late]
    assert draft.late_of == "u"
    assert draft.saved_at == NOW + minutes(3)


def test_the_same_words_twice_are_one_draft(desk_store: Store, amelie: Agent) -> None:
    say(desk_store, amelie, "words", 0)
    say(desk_store, amelie, "more words", 2, seen_at=NOW)
    assert say(desk_store, amelie, "more words", 3, seen_at=NOW) == "u"
    assert texts(desk_store, amelie) == {"u": "more words"}


def test_a_clock_that_was_set_back_loses_nothing(desk_store: Store, amelie: Agent) -> None:
    say(desk_store, amelie, "old", 0)
    say(desk_store, amelie, "newer session", -30, seen_at=NOW)
    say(desk_store, amelie, "old and late", 1, seen_at=NOW)
    assert set(texts(desk_store, amelie).values()) == {"newer session", "old and late"}


def test_a_draft_is_its_agents(desk_store: Store, amelie: Agent, bruno: Agent) -> None:
    say(desk_store, amelie, "of amelie", 0)
    say(desk_store, bruno, "of bruno", 1)
    assert list(texts(desk_store, amelie).values()) == ["of amelie"]
    assert list(texts(desk_store, bruno).values()) == ["of bruno"]


def test_words_of_a_form_that_another_session_stored_are_kept(desk_store: Store, amelie: Agent) -> None:
    say(desk_store, amelie, "old", 0)
    record_call(desk_store, CallForm("u", NOW, "informed", words="stored"), agent=amelie, now=NOW)
    assert list_drafts(desk_store, agent=amelie) == ()
    late = say(desk_store, amelie, "typed elsewhere", 1, seen_at=NOW)
    assert texts(desk_store, amelie) == {late: "typed elsewhere"}


def test_the_draft_of_an_attempt_goes_with_it_and_does_not_come_back(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=NOW)
    assert card.lease
    about = {"uid": "a", "kind": "attempt", "fields": {"callback_id": str(callback_id), "disposition": "worse"}}
    save_draft(world.store, **about, agent=world.amelie, now=NOW)  # type: ignore[arg-type]
    form = AttemptForm("a", callback_id, card.lease.generation, "no_answer", card.number, NOW)
    record_attempt(world.store, form, agent=world.amelie, now=NOW)
    assert list_drafts(world.store, agent=world.amelie) == ()
    save_draft(world.store, **about, agent=world.amelie, now=NOW)  # type: ignore[arg-type]
    assert list_drafts(world.store, agent=world.amelie) == ()


async def test_the_older_session_is_told_and_both_are_listed_with_their_ages(desk_store: Store, amelie: Agent) -> None:
    fields = {"last_name": "Dupont"}
    save_draft(desk_store, uid="u", kind="call", fields=fields, agent=amelie, now=NOW - minutes(3))
    async with open_screens(desk_store, "home", language="en") as pilot:
        assert "13:57" in screen_text(pilot)
        assert "3 min ago" in screen_text(pilot)
        await pilot.press("tab", "enter")
        await settled(pilot)
        assert "Draft of 13:57, 3 min ago." in screen_text(pilot)
        newer = {"last_name": "Dupont", "first_name": "Marie, of the newer session"}
        keep_text(
            desk_store, uid="u", kind="call", fields=newer, agent=amelie, now=NOW - minutes(1),
            seen_at=NOW - minutes(3),
        )  # fmt: skip
        await type_text(pilot, "063231111\t-Leroy\t")
        text = screen_text(pilot)
        assert "in another session" in text
        await type_text(pilot, "Luc\t")
        await pilot.press("escape")
        await settled(pilot)
        text = screen_text(pilot)
        assert "of another session" in text
        assert "1 min ago" in text
    found = {draft.late_of: draft for draft in list_drafts(desk_store, agent=amelie)}
    assert found[""].fields == newer
    assert found["u"].fields["first_name"] == "Luc"
    assert len(found) == 2, "one draft for all that the older session types"


async def test_a_late_draft_that_is_gone_on_with_stays_marked(desk_store: Store, amelie: Agent) -> None:
    fields = {"last_name": "Dupont", "_late_of": "u"}
    save_draft(desk_store, uid="v", kind="call", fields=fields, agent=amelie, now=NOW)
    async with open_screens(desk_store, "home", language="en") as pilot:
        await pilot.press("tab", "enter")
        await settled(pilot)
        await type_text(pilot, "063231111\t")
        await pilot.press("escape")
        await settled(pilot)
    (draft,) = list_drafts(desk_store, agent=amelie)
    assert isinstance(draft, Draft)
    assert (draft.uid, draft.late_of, draft.fields["phone"]) == ("v", "u", "063231111")


async def test_a_draft_that_is_tried_again_is_the_newest_one(
    desk_store: Store, amelie: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy desk refuses the first save; the second one, which waited behind it, is stored before the yes."""
    keep, tried = drafts.keep_text, []

    def busy(store: Store, **more: Any) -> drafts.SavedDraft:
        tried.append(dict(more["fields"]))
        if len(tried) == 1:
            raise StoreUnavailable("The desk is busy.")
        return keep(store, **more)

    monkeypatch.setattr(drafts, "keep_text", busy)
    async with open_screens(desk_store, "intake", language="en") as pilot:
        screen: Any = pilot.app.screen
        for words in ("first", "first and second"):
            screen.form["words"].value = words
            screen.autosave.save()
        await settled(pilot)
        assert "Try again?" in screen_text(pilot)
        await type_text(pilot, "y")
    assert [one["words"] for one in tried[:2]] == ["first", "first and second"]
    assert list(texts(desk_store, amelie).values()) == ["first and second"]
