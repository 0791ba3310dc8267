"""Two people at one thing, each a process of its own: a clear word for the second one, and nothing lost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from accounts import faults, journal_fault
from crisisdesk.desk.agents import Agent, add_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.callbacks import open_card, take
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.patients import split_pair
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, list_services
from crisisdesk.domain.words import Role
from crisisdesk.errors import LeaseLost
from waiting import World

RACER = Path(__file__).with_name("racer.py")
TODAY = date(2022, 5, 31)


class Other:
    """A process that waits for the word to act."""

    def __init__(self, world: World, login: str, job: str, *arguments: object) -> None:
        command = [sys.executable, str(RACER), str(world.store.path), login, job, world.now.isoformat()]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        assert self.process.stdout
        assert self.process.stdout.readline().strip() == "ready", self.process.communicate()[1]

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def said(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        found: dict[str, Any] = json.loads(out)
        return found


@contextmanager
def all_well(world: World) -> Iterator[None]:
    """Whatever happens in between: afterwards the accounts add up."""
    yield
    assert faults(world.store, world.now) == []
    assert journal_fault(world.store) == ""


def surgery(world: World) -> Any:
    (line,) = [
        line for line in list_services(world.store, "arlon", now=world.now) if line.service_id == world.service()
    ]
    return line


def test_two_supervisors_at_one_opening(world: World) -> None:
    """Both saw the same; both confirm at the same moment; the second one reads what the first one did."""
    add_agent(world.store, login="paul", name="Paul", role=Role.SUPERVISOR, agent=world.agent("chef"), now=world.now)
    for _number in range(40):
        world.callback()
    seen = surgery(world).newest_id
    others = [Other(world, login, "open", world.service(), TODAY, capacity, seen)
              for login, capacity in (("sonia", 1), ("paul", 2))]  # fmt: skip
    with all_well(world):
        for other in others:
            other.go()
        said = [other.said() for other in others]
    (refused,) = [one["refused"] for one in said if "refused" in one]
    (done,) = [one["done"] for one in said if "done" in one]
    line = surgery(world)
    winner = {1: "Sonia", 2: "Paul"}[line.capacity_a_day]
    assert winner in refused, "the second one reads who was first"
    assert str(line.capacity_a_day) in refused, "and what it is now"
    assert done > 0
    assert line.backlog.released == done


def card_of(world: World, callback_id: int, agent: Agent | None = None) -> AttemptForm:
    card = take(world.store, callback_id, agent=agent or world.amelie, now=world.now)
    assert card.lease
    return AttemptForm(
        f"held-{callback_id}", callback_id, card.lease.generation, "no_answer", card.number, world.now, note="essayé"
    )


@pytest.mark.parametrize("stays", ["held", "other"])
def test_a_merge_while_the_card_is_held(world: World, stays: str) -> None:
    """Whichever record stands: the callback on the line takes in the other's postponements, the attempt is stored."""
    ids = {"held": world.callback(released=True), "other": world.callback(released=True)}
    held, gone = ids["held"], ids["other" if stays == "held" else "held"]
    form = card_of(world, held)
    patients = world.row(ids[stays]).patient_id, world.row(gone).patient_id
    racer = Other(world, "bruno", "merge", *patients)
    with all_well(world):
        racer.go()
        assert racer.said()["done"] == patients[0]
        record_attempt(world.store, form, agent=world.amelie, now=world.later(minutes=1))
    assert world.row(ids["other"]).state == "closed"
    assert len(world.items_of(held)) == 2
    assert all(world.fact(number).tried_at for number in world.items_of(held))
    with all_well(world):
        split_pair(world.store, *patients, agent=world.bruno, now=world.now)
    assert {world.row(number).state for number in ids.values()} == {"waiting"}
    assert [len(world.items_of(number)) for number in ids.values()] == [1, 1]


def test_a_merge_while_both_cards_are_held(world: World) -> None:
    """Two agents ring what turns out to be one person: one of them goes on, the other's words are kept as a draft."""
    one, two = world.callback(released=True), world.callback(released=True)
    forms = {one: card_of(world, one), two: card_of(world, two, world.bruno)}
    racer = Other(world, "sonia", "merge", world.row(one).patient_id, world.row(two).patient_id)
    with all_well(world):
        racer.go()
        assert "done" in racer.said()
        record_attempt(world.store, forms[one], agent=world.amelie, now=world.later(minutes=1))
        with pytest.raises(LeaseLost) as told:
            record_attempt(world.store, forms[two], agent=world.bruno, now=world.now)
    assert "draft" in str(told.value)
    (draft,) = list_drafts(world.store, agent=world.bruno)
    assert draft.fields["note"] == "essayé"
    assert not open_card(world.store, two, agent=world.bruno, now=world.now).is_open


def test_a_death_told_while_the_patient_is_rung(world: World) -> None:
    held = world.callback(released=True)
    form = card_of(world, held)
    racer = Other(world, "bruno", "death", world.row(held).patient_id)
    with all_well(world):
        racer.go()
        assert racer.said()["done"] == [held]
        with pytest.raises(LeaseLost, match="draft"):
            record_attempt(world.store, form, agent=world.amelie, now=world.later(minutes=1))
    assert world.row(held).hold == "confirm_death"


HEADER = "NOM;PRENOM;DDN;TEL;INTERVENTION;DATE PREVUE;PRIORITE"
ROWS = [f"NOM{chr(65 + n)};Marie;{n + 1:02d}/03/1950;0471 22 33 {n:02d};varices;30/05/2022;P3" for n in range(12)]


def write_list(path: Path, rows: list[str]) -> Path:
    path.write_text("\r\n".join([HEADER, *rows]) + "\r\n", encoding="utf-8")
    return path


def test_a_list_comes_again_without_the_patient_who_is_on_the_line(world: World, tmp_path: Path) -> None:
    """The postponement that the new version leaves out is being rung, and booked: nothing of that is lost."""
    first = write_list(tmp_path / "bloc_v1.csv", ROWS)
    import_files(world.store, [first], Options(site="arlon"), agent=world.sonia, now=world.now)
    form = OpeningForm(world.service(), TODAY, capacity_a_day=3)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callback_id = 1
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    (item,) = card.items
    assert card.lease
    racer = Other(world, "sonia", "import", write_list(tmp_path / "bloc_v2.csv", ROWS[1:]))
    day = card.offers[item.postponement_id][0].slot_on
    with all_well(world):
        racer.go()
        accepted = AttemptForm(
            "while", callback_id, card.lease.generation, "accepts_date", card.number, world.now,
            items={item.postponement_id: ItemResult("accepts_date", day)},
        )  # fmt: skip
        done = record_attempt(world.store, accepted, agent=world.amelie, now=world.now)
        said = racer.said()["done"]
    assert not done.is_repeat
    assert said["missing"] == [item.postponement_id], "the import names what the new version leaves out"
    fact = world.fact(item.postponement_id)
    assert fact.rebooked_at is not None
    assert fact.missing_since_id is not None
    assert world.row(callback_id).state == "closed"


def test_the_card_says_that_the_list_no_longer_has_it(world: World, tmp_path: Path) -> None:
    """It stays in the queue (a list that is silent cancels nothing) and the agent reads that it is gone from it."""
    for version, rows in ((1, ROWS), (2, ROWS[1:])):
        path = write_list(tmp_path / f"bloc_v{version}.csv", rows)
        import_files(world.store, [path], Options(site="arlon"), agent=world.sonia, now=world.now)
    card = open_card(world.store, 1, agent=world.amelie, now=world.now)
    assert card.is_open
    assert card.items[0].missing_version == 2
    assert any("list" in note for note in card.notes)
