"""Rules of attempts: read in words, changed by supervisors, in force at once for every process."""

import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.attempts import preview
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.rulefields import DISPOSITION_FIELDS, desk_texts, disposition_texts
from crisisdesk.desk.rules import reference_of
from crisisdesk.desk.ruletyping import shown_text, stored_text
from crisisdesk.desk.ruling import edit_desk_rules, edit_rule, list_rules
from crisisdesk.domain.spans import read_span, write_span
from crisisdesk.domain.words import Channel, NextStep, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import in_language
from crisisdesk.store import journal
from crisisdesk.store.engine import open_desk
from moments import DESK_NOW
from waiting import World


def edit(world: World, code: str, scope: Scope = Scope.ATTEMPT, **changes: str) -> None:
    edit_rule(world.store, scope, code, changes, agent=world.sonia, now=world.now)


def test_every_rule_says_in_words_what_it_leads_to(world: World) -> None:
    rules = list_rules(world.store, now=world.now)
    assert {(row.scope, row.code) for row in rules.rows} == set(world.reference.dispositions)
    rows = {row.code: row for row in rules.rows if row.scope == Scope.ATTEMPT}
    assert rows["no_answer"].leads_to == "again after 3 h, in another part of the day"
    assert rows["voicemail_left"].leads_to.endswith("after 2: a letter is sent")
    assert rows["declines"].leads_to == "a clinician decides"
    assert all(row.leads_to for row in rules.rows)
    assert "13:00" in rows["no_answer"].ended_now  # 10:00 now, 3 h later is another part of the day


def test_a_changed_rule_is_what_the_key_says_and_does(world: World) -> None:
    callback_id = world.callback(released=True)
    edit(world, "no_answer", delay="2 h", other_part="no", cap="3")
    seen = preview(world.store, callback_id, "no_answer", now=world.now)
    assert seen.follow.next_at == world.now + timedelta(hours=2)
    assert "12:00" in seen.words
    done = world.ring(callback_id, "no_answer")
    assert (done.words, done.follow) == (seen.words, seen.follow)
    assert world.row(callback_id).not_before == world.now + timedelta(hours=2)


def test_so_many_of_one_kind_on_a_number_and_day_then_another_number_then_another_day(world: World) -> None:
    edit(world, "voicemail_left", cap="", cap_a_day="1", delay="30 min", other_part="no")
    callback_id = world.callback(released=True, phones=["+3263231111", "+32470123456"])
    first = world.ring(callback_id, "voicemail_left")
    assert (first.follow.step, first.follow.number) == (NextStep.NEXT_NUMBER, "+32470123456")
    world.later(hours=1)
    second = world.ring(callback_id, "voicemail_left")
    assert second.follow.why == "cap_a_day"
    assert second.follow.next_at
    assert second.follow.next_at.date() > world.now.date()


def test_old_and_new_are_in_the_journal_and_the_version_moves(world: World) -> None:
    before = reference_of(world.store).version
    edit(world, "busy", delay="20 min", **{"label.fr": "occupé, sonne", "short.fr": "occupé"})
    with world.store.read() as connection:
        (entry,) = journal.entries(connection, subject="rule", subject_id="attempt.busy")
    assert entry.agent == "sonia"
    assert entry.detail["delay"] == ["15 min", "20 min"]
    assert entry.detail["label.fr"] == ["occupé", "occupé, sonne"]
    reference = reference_of(world.store)
    assert reference.version == before + 1
    assert reference.label("disposition.attempt", "busy", "fr") == "occupé, sonne"
    edit(world, "busy", delay="20 min")
    assert reference_of(world.store).version == before + 1, "what changes nothing is no change"


@pytest.mark.parametrize(
    ("code", "changes", "why"),
    [
        ("no_answer", {"delay": ""}, "needs to know when"),
        ("no_answer", {"delay": "soon"}, "is no delay"),
        ("no_answer", {"cap": "0", "cap_a_day": "x"}, "At most, a number and day"),
        ("no_answer", {"key": "o"}, "taken by 'busy'"),
        ("no_answer", {"key": "NN"}, "one small letter"),
        ("no_answer", {"channel": "letter"}, "for what leads to 'review'"),
        ("no_answer", {"key": "1"}, "offered day"),
        ("declines", {"channel": "pigeon"}, "none of: letter"),
        ("no_answer", {"label.fr": ""}, "first language"),
        ("no_answer", {"short.fr": "x" * 23}, "22"),
        ("no_answer", {"nonsense": "1"}, "no rule 'nonsense'"),
        ("nonsense", {"delay": "1 h"}, "no disposition 'nonsense'"),
    ],
)
def test_what_a_rule_cannot_be_is_refused_with_its_reason(
    world: World, code: str, changes: dict[str, str], why: str
) -> None:
    with pytest.raises(RuleBroken, match=why):
        edit(world, code, **changes)
    assert reference_of(world.store).version == 1


def test_only_supervisors_change_rules(world: World) -> None:
    with pytest.raises(RuleBroken, match="supervisor"):
        edit_rule(world.store, Scope.ATTEMPT, "busy", {"delay": "1 h"}, agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="supervisor"):
        edit_desk_rules(world.store, {"attempts_in_all": "8"}, agent=world.amelie, now=world.now)


def test_of_two_supervisors_the_second_sees_both_values(world: World) -> None:
    seen = disposition_texts(world.reference.dispositions[Scope.ATTEMPT, "busy"], world.reference)
    edit(world, "busy", delay="20 min")
    mine = {**seen, "delay": "40 min"}
    with pytest.raises(RuleBroken, match="sonia changed 'delay' meanwhile from '15 min' to '20 min'; you typed '40"):
        edit_rule(world.store, Scope.ATTEMPT, "busy", mine, agent=world.sonia, now=world.now, seen=seen)
    other = {**seen, "cap_a_day": "2"}  # another field: the first one's delay stays
    edit_rule(world.store, Scope.ATTEMPT, "busy", other, agent=world.sonia, now=world.now, seen=seen)
    busy = reference_of(world.store).dispositions[Scope.ATTEMPT, "busy"]
    assert (busy.delay, busy.cap_a_day) == (timedelta(minutes=20), 2)


def test_the_rules_of_the_desk_are_changed_too(world: World) -> None:
    changes = {
        "attempts_in_all": "2", "rest": "1 h", "lease": "20 min", "channels": "gp letter", "channel_wait": "5 d",
        "calls_from": "09:00", "call_weekdays": "mon tue",
    }  # fmt: skip
    texts = edit_desk_rules(world.store, changes, agent=world.sonia, now=world.now)
    assert {name: texts[name] for name in changes} == changes
    desk = reference_of(world.store).desk
    assert desk.channels == (Channel.GP, Channel.LETTER)
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    assert card.lease.until == world.now + timedelta(minutes=20)
    world.ring(callback_id, "busy")
    world.later(hours=1)
    done = world.ring(callback_id, "busy")
    assert (done.follow.step, done.follow.channel) == (NextStep.REVIEW, Channel.GP)


@pytest.mark.parametrize(
    "changes",
    [{"attempts_in_all": "0"}, {"calls_from": "21:00"}, {"call_weekdays": ""}, {"lease": "0 min"}, {"channels": "fax"}],
)
def test_a_rule_of_the_desk_that_makes_no_sense_is_refused(world: World, changes: dict[str, str]) -> None:
    before = desk_texts(reference_of(world.store).desk)
    with pytest.raises(RuleBroken):
        edit_desk_rules(world.store, changes, agent=world.sonia, now=world.now)
    assert desk_texts(reference_of(world.store).desk) == before


def change_elsewhere(path: Path) -> None:
    """Another supervisor's process."""
    store = open_desk(path)
    sonia = find_agent(store, "sonia")
    assert sonia
    edit_rule(store, Scope.ATTEMPT, "busy", {"delay": "45 min"}, agent=sonia, now=DESK_NOW)
    edit_desk_rules(store, {"attempts_per_number_a_day": "1"}, agent=sonia, now=DESK_NOW)
    store.close()


def test_a_rule_changed_by_another_process_holds_for_the_attempt_that_is_going_on(world: World, path: Path) -> None:
    callback_id = world.callback(released=True)
    assert reference_of(world.store).version == 1
    other = multiprocessing.get_context("spawn").Process(target=change_elsewhere, args=(path,))
    other.start()
    other.join()
    assert other.exitcode == 0
    seen = preview(world.store, callback_id, "busy", now=world.now)
    assert seen.follow.why == "cap_a_day"
    assert world.ring(callback_id, "busy").follow == seen.follow
    edit_desk_rules(world.store, {"attempts_per_number_a_day": "3"}, agent=world.sonia, now=world.now)
    again = world.callback(released=True)
    assert world.ring(again, "busy").follow.next_at == world.now + timedelta(minutes=45)


def test_every_text_of_a_rule_reads_back_as_what_it_was(world: World) -> None:
    for row in world.reference.dispositions.values():
        texts = disposition_texts(row, world.reference)
        read = {name: field.read(texts[name]) for name, field in DISPOSITION_FIELDS.items()}
        assert read["delay"] == (row.delay.total_seconds() if row.delay else None)
        assert (read["cap"], read["cap_a_day"], read["note"]) == (row.cap, row.cap_a_day, row.needs_note)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_text_that_is_shown_in_another_language_is_stored_as_it_was(world: World, language: str) -> None:
    kept = desk_texts(reference_of(world.store).desk) | {"delay": "2 d"}
    with in_language(language):
        shown = {name: shown_text(name, text) for name, text in kept.items()}
        assert {name: stored_text(name, text) for name, text in shown.items()} == kept
        assert shown["delay"] == {"fr": "2 j", "en": "2 d"}[language]
        assert {name: stored_text(name, text) for name, text in kept.items()} == kept, "the words of programs too"
        typed = {name: text for name, text in shown.items() if name != "delay"} | {"rest": "120 min"}
        edit_desk_rules(world.store, typed, agent=world.sonia, now=world.now, seen=kept)
    assert desk_texts(reference_of(world.store).desk)["rest"] == "2 h"
    with world.store.read() as connection:
        (entry,) = journal.entries(connection, subject="rule", subject_id="desk")
    assert entry.detail == {"rest": [kept["rest"], "2 h"]}, "another language's word is no change"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=1, max_value=99_999))
def test_spans_read_back(minutes: int) -> None:
    span = timedelta(minutes=minutes)
    assert read_span(write_span(span)) == span
