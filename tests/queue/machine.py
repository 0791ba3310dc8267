"""A desk in the hands of chance: every step that a person can take, in any order; `accounts` looks after each of them.

Steps that the desk refuses with a sentence (RuleBroken, LeaseLost) are part of the game; anything else is a fault.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts import faults, journal_fault
from crisisdesk.clock import from_local, local_day
from crisisdesk.desk.acknowledging import answer_lines, take_back
from crisisdesk.desk.agents import Agent, add_agent, find_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.callbacks import (
    NothingNow,
    explain,
    list_queue,
    open_card,
    release_lease,
    renew,
    take,
    take_next,
    take_over,
)
from crisisdesk.desk.cancelling import AskedBy, Wants, cancel_booking, mark_done, mark_not_come, move_booking
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.channels import use_channel
from crisisdesk.desk.coding import code_priority
from crisisdesk.desk.correcting import correct_attempt
from crisisdesk.desk.handovers import make_handover
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.intake import CallForm, ItemSaid, ReportedItem, record_call
from crisisdesk.desk.patients import (
    add_phone,
    confirm_death,
    mark_phone_wrong,
    merge_patients,
    refute_death,
    report_death,
    split_patients,
)
from crisisdesk.desk.postponing import PostponeForm, postpone, preview_postponing
from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.desk.reopening import (
    OpeningForm,
    confirm_opening,
    plan_opening,
    preview_opening,
    revise_opening,
    top_up,
    withdraw_opening,
)
from crisisdesk.desk.reviews import Decision, decide_review
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.desk.unplaced import list_unplaced, place_item
from crisisdesk.domain.schedule import calendar_of, is_calling_time
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import HandoverState, OpeningState, PartOfDay, Role, Scope
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store.engine import Store, open_desk

BEGIN = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
HEADER = "NOM;PRENOM;DDN;TEL;INTERVENTION;DATE PREVUE;PRIORITE;SITE;SERVICE;REMARQUE"
PEOPLE, SITES = 9, ("arlon", "marche")
SERVICES = ("bloc", "bloc", "cardiologie", "diabétologie", "")  # twice as many operations; one protected; one unknown
PROCEDURES = ("PTH hanche", "hernie", "varices", "pacemaker")
PRIORITIES = ("", "P1a", "P1b", "P2", "P3", "P4")
LOGINS = ("amelie", "bruno", "sonia", "paul")
SUPERVISORS = ("sonia", "paul")
KINDS = ("surgery", "cardiology")

person = st.integers(0, PEOPLE - 1)
index = st.integers(0, 30)
who = st.sampled_from(LOGINS)
boss = st.sampled_from(SUPERVISORS)
site = st.sampled_from(SITES)
service = st.tuples(site, st.sampled_from(KINDS))
entry = st.tuples(person, site, st.sampled_from(SERVICES), st.sampled_from(PRIORITIES), st.integers(0, 20))


@dataclass
class Line:
    """One row of the list that a secretariat keeps and sends again."""

    number: int
    site: str
    service: str
    priority: str
    day: int

    def text(self) -> str:
        day = date(2022, 5, 16) + timedelta(days=self.day)
        return ";".join((
            f"NOM{chr(65 + self.number)}", "Marie", f"{1 + self.number:02d}/03/19{50 + self.number}",
            f"04{51 + self.number // 2:02d} 22 33 4{self.number // 2}",  # two people share each telephone
            PROCEDURES[self.number % len(PROCEDURES)], f"{day:%d/%m/%Y}", self.priority,
            {"arlon": "Arlon", "marche": "Marche"}.get(self.site, ""), self.service, "",
        ))  # fmt: skip


@dataclass
class Tally:
    """What happened, over all examples: a machine that is refused everything proves nothing."""

    done: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, *, refused: bool = False) -> None:
        counts = self.refused if refused else self.done
        counts[what] = counts.get(what, 0) + 1

    def words(self) -> str:
        names = sorted(self.done.keys() | self.refused.keys())
        return ", ".join(f"{name} {self.done.get(name, 0)}/{self.refused.get(name, 0)}" for name in names)


TALLY = Tally()
LAST_WORDS: dict[str, str] = {}
"""A sentence of refusal by step, to look at."""


CLOSED = """
[[opening]]
sites = ["arlon", "marche"]
services = ["surgery", "cardiology"]
stage = "actual"
state = "closed"
from = 2022-05-14
"""


def make_template(folder: Path) -> Path:
    """A desk with four people at work, to be copied for each example; only what the steps touch is closed."""
    path, data = folder / "made.db", folder / "data"
    shutil.copytree(data_folder(), data, ignore=shutil.ignore_patterns("samples"))
    (data / "openings.toml").write_text(CLOSED, encoding="utf-8")
    init_desk(path, data, admin_login="chef", now=BEGIN - timedelta(days=2))
    store = open_desk(path)
    admin = find_agent(store, "chef")
    assert admin
    for login in LOGINS:
        role = Role.SUPERVISOR if login in SUPERVISORS else Role.AGENT
        add_agent(store, login=login, name=login.title(), role=role, agent=admin, now=BEGIN - timedelta(days=2))
    copy = folder / "template.db"
    store.backup(copy)
    store.close()
    return copy


def write_list(path: Path, lines: list[Line]) -> Path:
    path.write_text("\r\n".join([HEADER, *(line.text() for line in lines)]) + "\r\n", encoding="utf-8")
    return path


class DeskMachine(RuleBasedStateMachine):
    """One desk from its file to its journal."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(dir=self.template.parent))
        path = self.folder / "desk.db"
        shutil.copyfile(self.template, path)
        self.store: Store = open_desk(path)
        self.reference = load_reference(self.store)
        self.now, self.serial = BEGIN, 0
        self.agents = {login: self.agent(login) for login in LOGINS}
        self.cards: dict[str, CallbackCard] = {}
        self.lines = [Line(n, SITES[n % 2], SERVICES[n % 3], PRIORITIES[n % 6], n) for n in range(6)]
        self.version = 0
        self.out_of_turn = False
        self.speechless = ""
        self._import()

    def agent(self, login: str) -> Agent:
        found = find_agent(self.store, login)
        assert found
        return found

    # ------------------------------------------------------------ what the steps are made of

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A step may be refused in words; anything else that it raises is a fault of the program."""
        try:
            yield
        except (RuleBroken, LeaseLost) as refusal:
            TALLY.count(what, refused=True)
            LAST_WORDS[f"{what}: {str(refusal)[:40]}"] = str(refusal)
            self.speechless = "" if str(refusal).strip() else what
            event(f"{what} refused")
        else:
            TALLY.count(what)

    def uid(self) -> str:
        self.serial += 1
        return f"u{self.serial}"

    def ids(self, sql: str) -> list[Any]:
        with self.store.read() as connection:
            return [row[0] for row in connection.exec_driver_sql(sql)]

    def pick(self, sql: str, index: int) -> Any:
        """One of the rows that a statement finds; None where it finds none."""
        found = self.ids(sql)
        return found[index % len(found)] if found else None

    def patient(self, index: int) -> int:
        return int(self.pick("SELECT id FROM patient ORDER BY id", index))

    def holding(self, login: str) -> list[Any]:
        """Callbacks that an agent holds now, the oldest first."""
        return self.ids(
            f"SELECT id FROM callback WHERE state = 'leased' AND leased_by = {self.agents[login].agent_id}"
            f" AND lease_until > '{self.now:%Y-%m-%d %H:%M:%S.%f}' ORDER BY leased_at"
        )

    def service_id(self, where: tuple[str, str]) -> int:
        return next(s.service_id for s in self.reference.services_of(where[0]) if s.code == where[1])

    @property
    def today(self) -> date:
        return local_day(self.now, self.reference.desk.time_zone)

    def _import(self) -> None:
        self.version += 1
        path = write_list(self.folder / f"bloc_v{self.version}.csv", self.lines)
        report = import_files(self.store, [path], Options(), agent=self.agents["sonia"], now=self.now)
        assert report.files[0]["counts"]["rows"], report.files[0]

    # ------------------------------------------------------------ time

    @rule(minutes=st.sampled_from((1, 4, 11, 16, 45, 190)))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(days=st.sampled_from((1, 1, 2, 5)), hour=st.sampled_from((8, 10, 14, 18)))
    def another_day(self, days: int, hour: int) -> None:
        day = self.today + timedelta(days=days)
        self.now = from_local(day, time(hour, 5), self.reference.desk.time_zone)

    # ------------------------------------------------------------ lists and calls

    @rule(entries=st.lists(entry, max_size=3), gone=st.lists(index, max_size=2))
    def list_arrives(self, entries: list[tuple[int, str, str, str, int]], gone: list[int]) -> None:
        """A later version of the list: some rows changed or new, some gone."""
        for number, *rest in entries:
            there = next((line for line in self.lines if line.number == number), None)
            if there is None:
                self.lines.append(Line(number, *rest))
            elif rest[2] != there.priority:
                there.priority = rest[2]
            else:  # the same person waits for something else as well
                self.lines.append(Line(number, *rest))
        for number in gone:
            if len(self.lines) > 1:
                self.lines.pop(number % len(self.lines))
        with self.step("import"):
            self._import()

    @rule(
        whose=st.one_of(st.none(), index), code=st.integers(0, 40), at=site,
        wish=st.sampled_from(("", "demain matin", "après 16h")),
        tells=st.booleans(), settles=st.booleans(), items=st.lists(st.integers(0, 10), max_size=2), by=who,
    )  # fmt: skip
    def somebody_calls(
        self, whose: int | None, code: int, at: str, wish: str, tells: bool, settles: bool, items: list[int], by: str
    ) -> None:
        endings = self.reference.dispositions_of(Scope.INBOUND)
        ending = endings[code % len(endings)]
        patient_id = None if whose is None else self.patient(whose)
        reported = (ReportedItem(kind="surgery", site_id=at, service="bloc", said_on="20/05/2022"),) if tells else ()
        held = [] if patient_id is None or not settles else self.ids(
            f"SELECT id FROM callback WHERE state <> 'closed' AND patient_id = {patient_id}")  # fmt: skip
        theirs = self.ids(f"SELECT id FROM postponement WHERE patient_id = {patient_id or 0}")
        codes = self.reference.dispositions_of(Scope.ITEM)
        said = {theirs[n % len(theirs)]: codes[n % len(codes)].code for n in items} if theirs else {}
        form = CallForm(
            self.uid(), self.now, ending.code, phone="0471 00 11 2" + str((whose or 0) % 10), site_id=at, wish=wish,
            last_name="INCONNU" if patient_id is None else "", words="le genou a doublé", note="comme dit",
            patient_ids=() if patient_id is None else (patient_id,), reported=reported, settled=tuple(held[:1]),
            items=tuple(ItemSaid(number, what) for number, what in said.items()),
        )  # fmt: skip
        with self.step(f"call {ending.next_step}"):
            record_call(self.store, form, agent=self.agents[by], now=self.now)

    # ------------------------------------------------------------ openings

    @rule(
        where=service, stage=st.sampled_from(("plan", "confirm", "confirm", "revise", "revise", "withdraw")),
        after=st.integers(-1, 9), capacity=st.integers(1, 4), shut=st.sampled_from((False, False, False, True)),
        by=boss,
        lasts=st.sampled_from((None, None, None, 0, 3)), days_off=st.booleans(),
        implants=st.sampled_from((None, None, 0, 1)),
    )  # fmt: skip
    def service_changes(
        self, where: tuple[str, str], stage: str, after: int, capacity: int, shut: bool, by: str, lasts: int | None,
        days_off: bool, implants: int | None,
    ) -> None:  # fmt: skip
        """Planned, opened, slipped, made smaller, closed again, taken back; for good or for some days; with limits."""
        state = OpeningState.CLOSED if shut else OpeningState.PARTIAL
        first = self.today + timedelta(days=after)
        form = OpeningForm(
            self.service_id(where), first, state, capacity, "selon l'imagerie", includes_days_off=days_off,
            until_on=None if lasts is None else first + timedelta(days=lasts),
            limits={} if implants is None else {"implant": implants},
        )  # fmt: skip
        agent = self.agents[by]
        with self.step(f"opening {stage}"):
            if stage == "plan":
                plan_opening(self.store, form, agent=agent, now=self.now)
            elif stage == "withdraw":
                withdraw_opening(self.store, form.service_id, "erreur", agent=agent, now=self.now)
            else:
                revises = stage == "revise"
                seen = preview_opening(self.store, form, now=self.now, revises=revises)
                change = revise_opening if revises else confirm_opening
                done = change(self.store, form, agent=agent, now=self.now)
                assert done == seen, "what was done is not what the preview said"

    @rule(
        where=service, after=st.integers(0, 9), lasts=st.sampled_from((None, 0, 4)), part=st.sampled_from(PartOfDay),
        left=st.sampled_from((None, 0, 1)), by=boss,
    )  # fmt: skip
    def session_is_put_off(
        self, where: tuple[str, str], after: int, lasts: int | None, part: PartOfDay, left: int | None, by: str
    ) -> None:
        first = self.today + timedelta(days=after)
        until = None if lasts is None else first + timedelta(days=lasts)
        form = PostponeForm(self.service_id(where), first, until, part, left, "seconde panne")
        with self.step("postpone"):
            seen = preview_postponing(self.store, form, now=self.now)
            assert postpone(self.store, form, agent=self.agents[by], now=self.now) == seen

    @rule(again=st.booleans())
    def day_is_topped_up(self, again: bool) -> None:
        top_up(self.store, now=self.now, again=again)

    # ------------------------------------------------------------ ringing

    @rule(by=who, at=site)
    def next_one(self, by: str, at: str) -> None:
        """Next gives the first line that may be rung, or the one that the agent still holds."""
        agent = self.agents[by]
        queue = list_queue(self.store, at, now=self.now)
        mine = self.holding(by)
        first = next((row.callback_id for row in queue.rows if row.reason == "ready"), None)
        personal = [row.callback_id for row in queue.rows if row.reason == "personal"]
        with self.step("next"):
            card = take_next(self.store, at, agent=agent, now=self.now)
            if isinstance(card, NothingNow):
                assert card.words
                calls = is_calling_time(self.now, calendar_of(self.reference.desk))
                assert mine == [] or not calls, f"{by} holds {mine} and is told: {card.words}"
                assert first is None or not calls, f"callback {first} is ready, Next says: {card.words}"
                return
            self.cards[by] = card
            if mine:
                assert card.callback_id == mine[0]
            elif card.callback_id not in personal and first is not None:
                assert card.callback_id == first, f"Next gave {card.callback_id}, the list begins with {first}"

    @rule(by=who, which=index)
    def that_one(self, by: str, which: int) -> None:
        """A callback out of turn."""
        callback_id = self.pick("SELECT id FROM callback ORDER BY id", which)
        if callback_id is not None and not self.holding(by):
            self.out_of_turn = True
            with self.step("take"):
                self.cards[by] = take(self.store, callback_id, agent=self.agents[by], now=self.now)

    @precondition(lambda self: self.cards)
    @rule(
        which=index, code=st.integers(0, 40), items=st.lists(st.tuples(index, index), max_size=3),
        slot=st.integers(0, 4), spoke=st.sampled_from((0, 0, 2, 12)), part=st.sampled_from(list(PartOfDay)),
    )  # fmt: skip
    def call_ends(
        self, which: int, code: int, items: list[tuple[int, int]], slot: int, spoke: int, part: PartOfDay
    ) -> None:
        """Any disposition, whatever is said of single postponements, with a place from what the card offered."""
        login = sorted(self.cards)[which % len(self.cards)]
        card = self.cards.pop(login)
        endings = self.reference.dispositions_of(Scope.ATTEMPT)
        ending = endings[code % len(endings)]
        self._end(
            login, card, ending.code, self._said(card, items, slot, wants=ending.code == "accepts_date"), spoke, part
        )

    @initialize(places=st.sampled_from((0, 1, 2, 3)), implants=st.sampled_from((None, 1)))
    def theatres_open(self, places: int, implants: int | None) -> None:
        """Most stories begin with a plan that was confirmed; some with everything closed."""
        for where in [(one, "surgery") for one in SITES] if places else []:
            limits = {} if implants is None else {"implant": implants}
            form = OpeningForm(self.service_id(where), self.today, capacity_a_day=places, limits=limits)
            confirm_opening(self.store, form, agent=self.agents["sonia"], now=self.now)

    @rule(
        by=who, at=site, slot=st.integers(0, 2),
        calls=st.lists(st.tuples(st.one_of(st.none(), index), st.sampled_from((0, 17))), min_size=1, max_size=3),
    )  # fmt: skip
    def some_calls(self, by: str, at: str, slot: int, calls: list[tuple[int | None, int]]) -> None:
        """An agent at work: next, ring, record, next; half of the patients accept a day."""
        endings = self.reference.dispositions_of(Scope.ATTEMPT)
        for code, pause in calls:
            card = take_next(self.store, at, agent=self.agents[by], now=self.now)
            if isinstance(card, NothingNow):
                return
            self.cards.pop(by, None)
            name = "accepts_date" if code is None else endings[code % len(endings)].code
            said = self._said(card, [], slot, wants=name == "accepts_date")
            self._end(by, card, name, said, 2, PartOfDay.ANY)
            self.now += timedelta(minutes=pause)

    @precondition(lambda self: self.cards)
    @rule(which=index, slot=st.integers(0, 4))
    def patient_accepts(self, which: int, slot: int) -> None:
        """The way that most calls are meant to go."""
        login = sorted(self.cards)[which % len(self.cards)]
        card = self.cards.pop(login)
        self._end(login, card, "accepts_date", self._said(card, [], slot, wants=True), 2, PartOfDay.ANY)

    def _said(
        self, card: CallbackCard, items: list[tuple[int, int]], slot: int, *, wants: bool
    ) -> dict[int, ItemResult]:
        codes = self.reference.dispositions_of(Scope.ITEM)
        said: dict[int, ItemResult] = {}
        for at, code in items if card.items else ():
            item = card.items[at % len(card.items)]
            said[item.postponement_id] = self._result(card, item.postponement_id, codes[code % len(codes)].code, slot)
        if wants:
            for number in card.offers:
                said.setdefault(number, self._result(card, number, "accepts_date", slot))
        return said

    def _result(self, card: CallbackCard, number: int, code: str, slot: int) -> ItemResult:
        offers = card.offers.get(number, ())
        day = offers[slot % len(offers)].slot_on if offers else self.today + timedelta(days=slot)
        return ItemResult(code, day if code == "accepts_date" else None)

    def _end(
        self, login: str, card: CallbackCard, code: str, said: dict[int, ItemResult], spoke: int, part: PartOfDay
    ) -> None:
        assert card.lease
        started, self.now = self.now, self.now + timedelta(minutes=spoke)
        asked = Wish(self.now + timedelta(days=1), self.now + timedelta(days=1, hours=2), part, words="comme convenu")
        ends = self.reference.dispositions[Scope.ATTEMPT, code]
        form = AttemptForm(
            self.uid(), card.callback_id, card.lease.generation, code, card.number, started, note="dit au téléphone",
            in_person=spoke == 2, asked=asked if ends.next_step == "at_time" else None,
            items=said if ends.reach == "patient" else {},
        )  # fmt: skip
        with self.step(f"attempt {code}"):
            done = record_attempt(self.store, form, agent=self.agents[login], now=self.now)
            assert done.words
            again = record_attempt(self.store, form, agent=self.agents[login], now=self.now)
            assert again.is_repeat
            assert again.attempt_id == done.attempt_id

    @rule(which=index, by=who)
    def last_one_is_undone(self, which: int, by: str) -> None:
        number = self.pick("SELECT id FROM attempt ORDER BY id DESC LIMIT 3", which) if which % 2 else None
        if self.holding(by):
            return
        with self.step("undo"):
            done = undo_attempt(self.store, number, reason="mauvaise touche", agent=self.agents[by], now=self.now)
            if done.card is not None and done.card.lease is not None:
                self.cards[by] = done.card

    @rule(which=index, code=st.integers(0, 40), by=boss)
    def attempt_is_corrected(self, which: int, code: int, by: str) -> None:
        number = self.pick("SELECT id FROM attempt ORDER BY id", which)
        endings = self.reference.dispositions_of(Scope.ATTEMPT)
        if number is not None:
            with self.step("correct"):
                correct_attempt(
                    self.store, number, endings[code % len(endings)].code, None, reason="réécouté",
                    agent=self.agents[by], now=self.now, note="dit au téléphone",
                )  # fmt: skip

    @rule(
        which=index, what=st.sampled_from(("cancel", "cancel", "move", "done", "not come")),
        asked=st.sampled_from(AskedBy),
        wants=st.sampled_from(Wants), after=st.integers(0, 12), by=who,
    )  # fmt: skip
    def place_is_given_back(self, which: int, what: str, asked: AskedBy, wants: Wants, after: int, by: str) -> None:
        booking = self.pick("SELECT id FROM booking ORDER BY state = 'told' DESC, id", which % 4)
        if booking is None:
            return
        more: dict[str, Any] = {"agent": self.agents[by], "now": self.now}
        with self.step(f"booking {what}"):
            if what == "cancel":
                cancel_booking(self.store, booking, asked_by=asked, reason="empêché", wants=wants, **more)
            elif what == "move":
                day = self.today + timedelta(days=after)
                move_booking(self.store, booking, day, asked_by=asked, reason="empêché", **more)
            elif what == "done":
                mark_done(self.store, [booking], **more)
            else:
                mark_not_come(self.store, booking, cause=asked, reason="absent", **more)

    @precondition(lambda self: self.cards)
    @rule(which=index, what=st.sampled_from(("renew", "give back", "take over")), by=boss)
    def card_is_let_go(self, which: int, what: str, by: str) -> None:
        login = sorted(self.cards)[which % len(self.cards)]
        card = self.cards[login]
        assert card.lease
        with self.step(what):
            if what == "renew":
                renew(self.store, card.lease, now=self.now)
            elif what == "give back":
                release_lease(self.store, card.lease, "suivant", agent=self.agents[login], now=self.now)
                del self.cards[login]
            else:
                take_over(self.store, card.callback_id, agent=self.agents[by], now=self.now)

    @rule(which=index, by=who)
    def line_is_read(self, which: int, by: str) -> None:
        callback_id = self.pick("SELECT id FROM callback ORDER BY id", which)
        if callback_id is not None:
            with self.step("explain"):
                told = explain(self.store, callback_id, now=self.now)
                assert told.row.why_not or told.row.reason == "ready"
                assert told.row.why_not in ("", *told.why_not)
            open_card(self.store, callback_id, agent=self.agents[by], now=self.now)

    # ------------------------------------------------------------ people

    @rule(one=index, other=index, by=who)
    def two_are_one(self, one: int, other: int, by: str) -> None:
        with self.step("merge"):
            merge_patients(self.store, self.patient(one), self.patient(other), agent=self.agents[by], now=self.now)

    @rule(which=index, by=who)
    def one_is_two(self, which: int, by: str) -> None:
        pair = self.pick("SELECT id FROM likeness WHERE state = 'merged' ORDER BY id", which)
        if pair is not None:
            with self.step("split"):
                split_patients(self.store, pair, agent=self.agents[by], now=self.now)

    @rule(whose=index, what=st.sampled_from(("report", "confirm", "refute")), by=who)
    def death(self, whose: int, what: str, by: str) -> None:
        said = "SELECT id FROM patient WHERE death_reported_at IS NOT NULL ORDER BY id"
        patient_id = self.patient(whose) if what == "report" else self.pick(said, whose)
        if patient_id is None:
            return
        agent = self.agents[by]
        with self.step(f"death {what}"):
            if what == "report":
                report_death(self.store, patient_id, agent=agent, now=self.now)
            elif what == "confirm":
                confirm_death(self.store, patient_id, agent=agent, now=self.now)
            else:
                refute_death(self.store, patient_id, agent=agent, now=self.now, why="il a rappelé")

    @rule(whose=index, number=st.integers(0, 3), is_wrong=st.booleans(), by=who)
    def number_changes(self, whose: int, number: int, is_wrong: bool, by: str) -> None:
        patient_id = self.patient(whose)
        known = self.ids(f"SELECT number FROM phone WHERE patient_id = {patient_id} ORDER BY id")
        with self.step("number"):
            if known and is_wrong:
                said = known[number % len(known)]
                mark_phone_wrong(self.store, patient_id, said, agent=self.agents[by], now=self.now)
            else:
                add_phone(self.store, patient_id, f"063 23 11 1{number}", agent=self.agents[by], now=self.now)

    # ------------------------------------------------------------ what waits for a person

    @rule(which=index, decision=st.sampled_from(Decision), by=boss)
    def clinician_decides(self, which: int, decision: Decision, by: str) -> None:
        held = self.pick("SELECT id FROM callback WHERE hold <> '' AND state <> 'closed' ORDER BY id", which)
        if held is not None:
            with self.step(f"review {decision}"):
                decide_review(
                    self.store,
                    held,
                    decision,
                    clinician="Dr Hautmont",
                    reason="vu le dossier",
                    agent=self.agents[by],
                    now=self.now,
                )

    @rule(which=index, where=service, by=boss)
    def item_is_placed(self, which: int, where: tuple[str, str], by: str) -> None:
        found = list_unplaced(self.store, now=self.now).items
        if found:
            number = found[which % len(found)].postponement_id
            with self.step("place"):
                place_item(self.store, number, where[0], self.service_id(where), agent=self.agents[by], now=self.now)

    @rule(which=index, priority=st.sampled_from((None, *PRIORITIES[1:])), by=boss)
    def priority_is_entered(self, which: int, priority: str | None, by: str) -> None:
        number = self.pick("SELECT id FROM postponement ORDER BY id", which)
        with self.step("code"):
            code_priority(
                self.store,
                number,
                priority,
                clinician="Dr Hautmont",
                reason="revu",
                agent=self.agents[by],
                now=self.now,
            )

    @rule(which=index, by=who)
    def letter_is_sent(self, which: int, by: str) -> None:
        held = self.pick("SELECT id FROM callback WHERE channel <> '' AND state <> 'closed' ORDER BY id", which)
        if held is not None:
            with self.step("channel"):
                use_channel(self.store, held, name="Dr Hautmont", agent=self.agents[by], now=self.now)

    @rule(where=st.one_of(st.none(), service), at=site, by=boss)
    def queue_is_offered(self, where: tuple[str, str] | None, at: str, by: str) -> None:
        service_id = None if where is None else self.service_id(where)
        with self.step("hand over"):
            make_handover(
                self.store, where[0] if where else at, service_id, reason="reprise", agent=self.agents[by], now=self.now
            )

    @rule(
        which=index, lines=st.sets(st.integers(1, 4), min_size=1, max_size=3), by=boss,
        what=st.sampled_from((HandoverState.ACKNOWLEDGED, HandoverState.ACKNOWLEDGED, HandoverState.REFUSED, None)),
    )  # fmt: skip
    def secretariat_answers(self, which: int, lines: set[int], what: HandoverState | None, by: str) -> None:
        number = self.pick("SELECT id FROM handover ORDER BY id DESC", which % 3)
        if number is None:
            return
        more: dict[str, Any] = {"agent": self.agents[by], "now": self.now}
        with self.step(f"handover {what or 'taken back'}"):
            if what is None:
                take_back(self.store, number, sorted(lines), reason="pas repris", **more)
            else:
                answer_lines(self.store, number, sorted(lines), what, answered_by="Mme Noiret", **more)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def all_is_accounted_for(self) -> None:
        assert not self.speechless, f"{self.speechless} was refused without a word"
        found = faults(self.store, self.now, in_turn=not self.out_of_turn)
        assert not found, "\n".join(found)

    def teardown(self) -> None:
        try:
            assert journal_fault(self.store) == ""
        finally:
            self.store.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def bound(template: Path) -> Callable[[], DeskMachine]:
    """The machine over copies of one desk."""
    return type("BoundDeskMachine", (DeskMachine,), {"template": template})
