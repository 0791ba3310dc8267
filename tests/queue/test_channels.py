"""Whom nobody reaches gets a letter, then the doctor and the next of kin are told; at last a clinician decides."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from crisisdesk.desk.callbacks import NothingNow, list_queue, open_card, take, take_next
from crisisdesk.desk.channels import list_channel, use_channel
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.patients import report_death
from crisisdesk.desk.reviews import Decision, decide_review, list_held
from crisisdesk.desk.ruling import edit_desk_rules, edit_rule
from crisisdesk.domain.words import Channel, MayTell, NextStep, Scope
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import journal, tables
from crisisdesk.store.callbacks import settle
from waiting import World


def until_held(world: World, callback_id: int) -> None:
    """Nobody answers until the desk has tried often enough."""
    for _attempt in range(20):
        row = world.row(callback_id)
        if row.hold:
            return
        world.now = max(world.now, row.not_before or world.now)
        world.ring(callback_id, "no_answer")


@pytest.fixture
def short(world: World) -> World:
    """Two attempts are often enough: the ladder is walked quickly."""
    edit_desk_rules(world.store, {"attempts_in_all": "2"}, agent=world.sonia, now=world.now)
    return world


def used(world: World, callback_id: int, name: str = "Secrétariat", **more: object) -> object:
    return use_channel(world.store, callback_id, name=name, agent=world.amelie, now=world.now, **more)  # type: ignore[arg-type]


def test_the_ladder_walks_every_channel_and_ends_with_a_clinician(short: World) -> None:
    world, callback_id = short, short.callback(released=True)
    walked = []
    while True:
        until_held(world, callback_id)
        row = world.row(callback_id)
        assert (row.state, row.hold) == ("waiting", "review"), "nothing closes by itself"
        answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
        assert isinstance(answer, NothingNow), "nobody rings meanwhile"
        if not row.channel:
            break
        walked.append(row.channel)
        done = used(world, callback_id)
        after = world.row(callback_id)
        assert (after.hold, after.channel, after.unanswered) == ("", "", 0)
        assert after.not_before == done.rung_from  # type: ignore[attr-defined]
        assert after.not_before >= world.now + world.reference.desk.channel_wait
    assert walked == ["letter", "gp", "next_of_kin"]
    assert world.row(callback_id).channels_done == walked
    with pytest.raises(RuleBroken, match="besides the telephone"):
        used(world, callback_id)
    decide_review(
        world.store, callback_id, Decision.RESUME, clinician="Dr Lambert", reason="encore", agent=world.sonia,
        now=world.now,
    )  # fmt: skip
    assert world.row(callback_id).hold == ""


def test_the_words_of_the_key_name_the_letter(short: World) -> None:
    callback_id = short.callback(released=True)
    short.ring(callback_id, "no_answer")
    short.now = short.row(callback_id).not_before
    done = short.ring(callback_id, "no_answer")
    assert "a letter is sent" in done.words
    (row,) = list_held(short.store, now=short.now)
    assert (row.waits_for, row.channel) == ("a letter is sent", Channel.LETTER)
    (line,) = list_queue(short.store, "arlon", now=short.now).rows
    assert "letter" in line.why_not


def test_the_order_and_the_number_of_channels_is_the_desks(short: World) -> None:
    edit_desk_rules(short.store, {"channels": "gp"}, agent=short.sonia, now=short.now)
    callback_id = short.callback(released=True)
    until_held(short, callback_id)
    assert short.row(callback_id).channel == "gp"
    used(short, callback_id, "Dr Dubois")
    until_held(short, callback_id)
    assert short.row(callback_id).channel == ""


def test_a_disposition_leads_straight_to_its_channel(world: World) -> None:
    edit_rule(world.store, Scope.ATTEMPT, "unfit", {"channel": "gp"}, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    done = world.ring(callback_id, "unfit", note="grippe")
    assert (done.follow.step, done.follow.channel) == (NextStep.REVIEW, Channel.GP)
    assert world.row(callback_id).channel == "gp"
    assert "general practitioner" in done.words


def test_the_list_of_letters_says_what_may_be_said_and_nothing_medical(short: World) -> None:
    letter, other = short.callback(released=True), short.callback(released=True)
    until_held(short, letter)
    with short.store.write() as connection:
        where = tables.patient.c.id == short.row(letter).patient_id
        connection.execute(update(tables.patient).where(where).values(town="Arlon", postcode="6700"))
    (row,) = list_channel(short.store, Channel.LETTER)
    assert (row.callback_id, row.town, row.postcode) == (letter, "Arlon", "6700")
    assert row.public_number in row.may_say
    assert "PTH" not in str(row)
    assert list_channel(short.store, Channel.GP) == []
    assert list_channel(short.store, site_id="marche") == []
    report_death(short.store, short.row(letter).patient_id, agent=short.amelie, now=short.now)
    assert list_channel(short.store) == [], "nobody writes to the dead"
    assert short.row(other).hold == ""


def test_the_letter_is_journalled_and_stands_in_the_history(short: World) -> None:
    callback_id = short.callback(released=True)
    until_held(short, callback_id)
    used(short, callback_id, "Nathalie", note="recommandé", used_on=short.now.date() - timedelta(days=1))
    with short.store.read() as connection:
        told = journal.entries(connection, subject="callback", subject_id=str(callback_id), limit=1)[0]
    assert told.action == "callback.channel_used"
    assert told.detail["channels_done"] == [[], ["letter"]]
    assert told.detail["name"] == "Nathalie"
    card = open_card(short.store, callback_id, agent=short.amelie, now=short.now)
    (line,) = [line for line in card.history if line.what == "channel"]
    assert (line.words, line.by, line.note) == ("letter sent", "Amélie", "Nathalie: recommandé")


def test_the_name_of_the_doctor_stays_with_the_patient(short: World) -> None:
    edit_desk_rules(short.store, {"channels": "gp"}, agent=short.sonia, now=short.now)
    callback_id = short.callback(released=True)
    until_held(short, callback_id)
    used(short, callback_id, "Dr Dubois 063 22 11 00")
    card = open_card(short.store, callback_id, agent=short.amelie, now=short.now)
    assert card.gp == "Dr Dubois 063 22 11 00"


def test_what_was_tried_before_the_letter_counts_no_longer(world: World) -> None:
    """Two messages on the machine bring a letter; after it two more, not one."""
    callback_id = world.callback(released=True)
    for _round in range(2):
        steps = []
        for _message in range(2):
            world.now = max(world.now, world.row(callback_id).not_before or world.now)
            steps.append(world.ring(callback_id, "voicemail_left").follow.step)
        assert steps == [NextStep.RETRY, NextStep.REVIEW]
        used(world, callback_id)


def test_an_auditor_no_name_a_day_to_come_a_death_and_a_colleague_are_refused(short: World) -> None:
    callback_id = short.callback(released=True)
    with pytest.raises(RuleBroken, match="besides the telephone"):
        used(short, callback_id)
    until_held(short, callback_id)
    with pytest.raises(RuleBroken, match="who sent it"):
        used(short, callback_id, " ")
    with pytest.raises(RuleBroken, match="to come"):
        used(short, callback_id, used_on=short.now.date() + timedelta(days=1))
    report_death(short.store, short.row(callback_id).patient_id, agent=short.amelie, now=short.now)
    with pytest.raises(RuleBroken, match="death"):
        used(short, callback_id)
    assert short.row(callback_id).channels_done == []


def test_a_number_that_is_searched_and_a_letter_go_together(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "wrong_number")
    row = world.row(callback_id)
    assert (row.hold, row.channel) == ("number_search", "letter")
    assert [line.callback_id for line in list_channel(world.store, Channel.LETTER)] == [callback_id]
    done = used(world, callback_id)
    assert "number search goes on" in done.words  # type: ignore[attr-defined]
    after = world.row(callback_id)
    assert (after.hold, after.channel, after.not_before) == ("number_search", "gp", None)


def test_while_an_agent_rings_nobody_writes_that_a_letter_was_sent(world: World) -> None:
    """A search that has found a number is rung again; the letter of the search is late."""
    from crisisdesk.desk.patients import add_phone

    callback_id = world.callback(released=True)
    world.ring(callback_id, "wrong_number")
    add_phone(world.store, world.row(callback_id).patient_id, "063 23 99 99", agent=world.amelie, now=world.now)
    assert list_channel(world.store, Channel.LETTER) == [], "the number was found"
    world.later(hours=1)
    take(world.store, callback_id, agent=world.bruno, now=world.now)
    with pytest.raises(LeaseLost, match="Bruno"):
        used(world, callback_id)


def test_a_patient_who_rings_needs_no_letter(short: World) -> None:
    callback_id = short.callback(released=True)
    until_held(short, callback_id)
    with short.store.write() as connection:
        settle(connection, callback_id, "informed", short.amelie.agent_id, short.now, None)
    row = short.row(callback_id)
    assert (row.hold, row.channel, row.unanswered) == ("", "", 0)


def test_the_wait_after_a_letter_ends_within_the_calling_hours(short: World) -> None:
    edit_desk_rules(short.store, {"channel_wait": "5 d"}, agent=short.sonia, now=short.now)
    callback_id = short.callback(released=True)
    until_held(short, callback_id)
    short.now = datetime(2022, 6, 7, 12, 0, tzinfo=UTC)  # a Tuesday; five days later is a Sunday
    done = used(short, callback_id)
    assert done.rung_from == datetime(2022, 6, 13, 6, 0, tzinfo=UTC)  # type: ignore[attr-defined]


def test_contacts_are_noted_with_their_old_values(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    with pytest.raises(RuleBroken, match="Name the one person"):
        set_contacts(world.store, patient_id, may_tell=MayTell.NAMED, agent=world.amelie, now=world.now)
    changed = set_contacts(
        world.store, patient_id, may_tell=MayTell.NAMED, may_tell_who="Jean (mari)", next_of_kin="Jean 0470 11 22 33",
        agent=world.amelie, now=world.now,
    )  # fmt: skip
    assert changed["may_tell"] == ["unknown", "named"]
    card = open_card(world.store, callback_id, agent=world.amelie, now=world.now)
    assert "Jean (mari) may be told, nobody else" in card.tell_words
    set_contacts(world.store, patient_id, may_tell=MayTell.NONE, agent=world.amelie, now=world.now)
    card = open_card(world.store, callback_id, agent=world.amelie, now=world.now)
    assert (card.may_tell_who, card.next_of_kin) == ("", "Jean 0470 11 22 33")


def test_only_a_named_person_is_told(world: World) -> None:
    callback_id = world.callback(released=True)
    with pytest.raises(RuleBroken, match="named nobody"):
        world.ring(callback_id, "third_party_told", note="au mari")
    patient_id = world.row(callback_id).patient_id
    set_contacts(
        world.store, patient_id, may_tell=MayTell.NAMED, may_tell_who="Jean", agent=world.amelie, now=world.now
    )
    assert world.ring(callback_id, "third_party_told", note="au mari").follow.step == NextStep.RETRY
