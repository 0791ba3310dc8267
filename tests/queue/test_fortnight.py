"""The real weeks replayed, 17 May to 17 June 2022: the calls before the lists, the dates that slipped, the reversals.

Facts (newspapers of the days): planned on 30 May for Arlon 31 May, Marche 1 June, Libramont 2 June, Bastogne 3 June;
on 1 June Marche slipped to the 2nd, Libramont and Bastogne to the 7th; on 2 June Arlon was limited to two implants a
day. The instruction to callers turned round on 23 May, 1 June and 15 June. The people, calls and outcomes are made up.
With -s every evening prints its coverage.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from accounts import UNSETTLED, faults, journal_fault
from crisisdesk.clock import day_bounds, from_local
from crisisdesk.desk.acknowledging import answer_lines
from crisisdesk.desk.agents import Agent, add_agent, find_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.callbacks import list_queue, take_next
from crisisdesk.desk.cancelling import AskedBy, cancel_booking, mark_done
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.handovers import make_handover, read_handover
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.instructions import InstructionForm, instruction_now, issue_instruction
from crisisdesk.desk.intake import CallForm, ReportedItem, record_call
from crisisdesk.desk.patients import confirm_death, list_likenesses, merge_patients
from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, list_services, plan_opening, revise_opening
from crisisdesk.desk.retelling import ring_them
from crisisdesk.desk.reviews import Decision, decide_review, list_held
from crisisdesk.domain.kpi import coverage_of
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import Coverage, HandoverState, OpeningState, Role
from crisisdesk.errors import RuleBroken
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.store.figures import count_callbacks

ZONE = "Europe/Brussels"
FIRST, LAST = date(2022, 5, 17), date(2022, 6, 17)
SIZES = {"arlon": 90, "marche": 70, "libramont": 60, "bastogne": 40}
NAMES = {"arlon": "Arlon", "marche": "Marche", "libramont": "Libramont", "bastogne": "Bastogne"}
PROCEDURES = ("PTH hanche", "hernie inguinale", "varices", "cataracte", "PTG genou", "cholécystectomie")
PRIORITIES = ("P2", "P3", "P3", "P4", "", "P3", "P1b")
HEADER = "NOM;PRENOM;DDN;TEL;INTERVENTION;CHIRURGIEN;DATE PREVUE;PRIORITE;SITE;SERVICE"
LOGINS = ("amelie", "bruno", "carine", "david")
RINGS_A_DAY = 40


class Replay:
    """The desk, its clock, chance, and a ledger of everything that anybody was promised."""

    def __init__(self, store: Store, folder: Path, seed: int) -> None:
        self.store, self.folder, self.chance = store, folder, Random(seed)
        self.reference = load_reference(store)
        self.agents = {login: self.agent(login) for login in (*LOGINS, "sonia")}
        self.sonia = self.agents["sonia"]
        self.now = self.at(FIRST, 8)
        self.serial = 0
        self.told: dict[int, date] = {}
        """Every place that was ever told: booking -> day."""
        self.windows: dict[tuple[int, str], int] = {}
        """Every moment that was promised: (patient, end) -> callback."""

    def agent(self, login: str) -> Agent:
        found = find_agent(self.store, login)
        assert found
        return found

    @staticmethod
    def at(day: date, hour: int, minute: int = 0) -> datetime:
        return from_local(day, time(hour, minute), ZONE)

    def uid(self) -> str:
        self.serial += 1
        return f"u{self.serial}"

    def rows(self, sql: str, *values: Any) -> Sequence[Any]:
        with self.store.read() as connection:
            return connection.exec_driver_sql(sql, values).all()

    def surgery(self, site_id: str) -> int:
        return next(s.service_id for s in self.reference.services_of(site_id) if s.code == "surgery")

    # ------------------------------------------------------------ lists

    def list_of(self, site_id: str, version: int) -> Path:
        """The list of a site's operations of 16 May to 10 June; the second version has some changed and some gone."""
        rows = [HEADER]
        for number in range(SIZES[site_id]):
            if version == 2 and number % 29 == 7:
                continue
            day = date(2022, 5, 16) + timedelta(days=number % 19)
            priority = "P2" if version == 2 and number % 11 == 3 else PRIORITIES[number % len(PRIORITIES)]
            rows.append(";".join((
                f"{NAMES[site_id].upper()}{chr(65 + number // 26)}{chr(65 + number % 26)}", "Marie",
                f"{1 + number % 28:02d}/{1 + number % 12:02d}/{1935 + number % 60}",
                f"04{60 + len(site_id)} {10 + number:02d} 22 {10 + number % 50}", PROCEDURES[number % 6],
                "Dr Hautmont", f"{day:%d/%m/%Y}", priority, NAMES[site_id],
                "cardiologie" if number % 17 == 5 else "bloc",
            )))  # fmt: skip
        path = self.folder / f"bloc_{site_id}_v{version}.csv"
        path.write_text("\r\n".join(rows) + "\r\n", encoding="utf-8")
        return path

    def import_lists(self, version: int) -> None:
        paths = [self.list_of(site_id, version) for site_id in SIZES]
        report = import_files(self.store, paths, Options(), agent=self.sonia, now=self.now)
        assert all(file["counts"]["rejected"] == 0 for file in report.files)

    # ------------------------------------------------------------ callers

    def caller(self) -> None:
        """Somebody rings: one in three is on no list or not found; what the instruction says is read out."""
        site_id = self.chance.choice(list(SIZES))
        found = self.rows("SELECT id FROM patient WHERE merged_into_id IS NULL AND death_reported_at IS NULL")
        known = self.chance.choice(found)[0] if found and self.chance.random() < 0.65 else None
        code = self.chance.choices(
            ("informed", "callback", "callback_at", "wants_to_wait", "declines", "emergency", "deceased"),
            (40, 25, 12, 8, 4, 3, 1),
        )[0]
        instruction = instruction_now(self.store, site_id=site_id, now=self.now).instruction
        reported = (ReportedItem("surgery", site_id, "bloc", "24/05/2022"),) if known is None else ()
        form = CallForm(
            self.uid(), self.now, code, phone=f"0470 {self.serial // 100:02d} {self.serial % 100:02d} 10",
            site_id=site_id,
            last_name="" if known else f"Inconnu{chr(65 + self.serial % 26)}", first_name="" if known else "Marie",
            patient_ids=(known,) if known else (), reported=reported if code != "deceased" or not known else (),
            wish="demain matin" if code == "callback_at" else "", words="mon opération", note="comme dit",
            instruction_id=instruction.instruction_id if instruction else None, was_read_out=instruction is not None,
        )  # fmt: skip
        done = record_call(self.store, form, agent=self.agents[self.chance.choice(LOGINS)], now=self.now)
        if code == "callback_at":
            self.keep_windows(done.callbacks)

    def keep_windows(self, callback_ids: Any) -> None:
        for number in callback_ids:
            for row in self.rows("SELECT patient_id, promised_until FROM callback WHERE id = ?", number):
                if row[1]:
                    self.windows[row[0], row[1]] = number

    # ------------------------------------------------------------ rings

    def ring(self, login: str) -> bool:
        """One agent rings the next patient of whatever site has one; False where none has."""
        sites = self.chance.sample(list(SIZES), len(SIZES))
        for site_id in sites:
            card = take_next(self.store, site_id, agent=self.agents[login], now=self.now)
            if isinstance(card, CallbackCard):
                self.outcome(login, card)
                return True
        return False

    def outcome(self, login: str, card: CallbackCard) -> None:
        assert card.lease
        code = self.chance.choices(
            ("accepts_date", "no_answer", "busy", "voicemail_none", "asks_later", "other_date", "wants_to_wait",
             "declines", "treated_elsewhere", "third_party", "wrong_number", "worse", "deceased"),
            (50, 18, 7, 5, 6, 3, 3, 2, 3, 2, 1, 1, 0.5),
        )[0]  # fmt: skip
        started, self.now = self.now, self.now + timedelta(minutes=3)
        items = {number: ItemResult("accepts_date", self.chance.choice(slots).slot_on)
                 for number, slots in card.offers.items() if slots}  # fmt: skip
        if code == "accepts_date" and not items:
            code = "other_date"
        later = Wish(self.now + timedelta(days=1), self.now + timedelta(days=1, hours=3), words="demain")
        form = AttemptForm(
            self.uid(), card.callback_id, card.lease.generation, code, card.number, started, note="dit au téléphone",
            asked=later if code in ("asks_later", "wants_to_wait") else None,
            items=items if code == "accepts_date" else {},
            instruction_id=card.instruction.instruction_id if card.instruction else None,
        )  # fmt: skip
        agent = self.agents[login]
        try:
            record_attempt(self.store, form, agent=agent, now=self.now)
        except RuleBroken:  # two items of one patient on a day with one place: the agent says so and rings again
            form = AttemptForm(self.uid(), card.callback_id, card.lease.generation, "busy", card.number, started)
            record_attempt(self.store, form, agent=agent, now=self.now)
        self.keep_windows([card.callback_id])

    # ------------------------------------------------------------ supervisors

    def plan(self, site_id: str, day: date, capacity: int, **more: Any) -> None:
        form = OpeningForm(self.surgery(site_id), day, OpeningState.PARTIAL, capacity, "plan du 30 mai", **more)
        plan_opening(self.store, form, agent=self.sonia, now=self.now)

    def confirm(self, site_id: str, day: date, capacity: int, **more: Any) -> None:
        form = OpeningForm(self.surgery(site_id), day, OpeningState.PARTIAL, capacity, "confirmé", **more)
        confirm_opening(self.store, form, agent=self.sonia, now=self.now)

    def slip(self, site_id: str, day: date, capacity: int, reason: str, **more: Any) -> int:
        """Another day or number; everybody whose place goes is first in the queue and reads "told ..., now ..."."""
        form = OpeningForm(self.surgery(site_id), day, OpeningState.PARTIAL, capacity, reason, **more)
        done = revise_opening(self.store, form, agent=self.sonia, now=self.now)
        stamp = self.now.strftime("%Y-%m-%d %H:%M:%S.%f")
        gone = self.rows("SELECT b.id, b.slot_on, c.id, c.tier, c.why ->> '$.slipped.told_on' FROM booking b"
                         " JOIN postponement p ON p.id = b.postponement_id"
                         " LEFT JOIN callback_item i ON i.postponement_id = p.id"
                         " LEFT JOIN callback c ON c.id = i.callback_id AND c.state <> 'closed'"
                         " WHERE b.withdrawn_at = ? AND b.service_id = ? AND c.id IS NOT NULL",
                         stamp, self.surgery(site_id))  # fmt: skip
        assert len(gone) == len(done.withdrawn)
        assert {row[3] for row in gone} <= {0}, "who was told a day that slips is rung first"
        assert all(row[4] == row[1] for row in gone), "the old promise is in the line"
        lines = {row.callback_id: row.why_here for row in list_queue(self.store, site_id, now=self.now).rows}
        assert all(f"{date.fromisoformat(row[1]):%d/%m}" in lines[row[2]] for row in gone)
        return len(gone)

    def decide(self) -> None:
        """A clinician goes through what is on hold; a second agent confirms deaths; pairs are looked at."""
        for row in list_held(self.store, now=self.now)[:10]:
            if row.hold == "confirm_death":
                confirm_death(self.store, row.patient_id, agent=self.sonia, now=self.now)
            elif row.hold == "review":
                decision = self.chance.choice((Decision.RESUME, Decision.CLOSE))
                decide_review(self.store, row.callback_id, decision, clinician="Dr Hautmont", reason="dossier vu",
                              agent=self.sonia, now=self.now)  # fmt: skip
        for pair in list_likenesses(self.store)[:2]:
            if pair.strength in ("certain", "strong"):
                merge_patients(self.store, pair.other_id, pair.other_id, agent=self.sonia, now=self.now)

    def cancel_one(self) -> None:
        """A patient who was told a day rings: it does not suit."""
        today = self.now.date().isoformat()
        found = self.rows("SELECT id FROM booking WHERE state = 'told' AND slot_on > ? ORDER BY id", today)
        if found and self.chance.random() < 0.6:
            cancel_booking(self.store, self.chance.choice(found)[0], asked_by=AskedBy.PATIENT, reason="empêché",
                           agent=self.sonia, now=self.now)  # fmt: skip

    def day_is_done(self, day: date) -> None:
        """In the evening: who was operated that day."""
        done = [
            row[0] for row in self.rows("SELECT id FROM booking WHERE state = 'told' AND slot_on <= ?", day.isoformat())
        ]
        if done:
            mark_done(self.store, done, agent=self.sonia, now=self.now)

    # ------------------------------------------------------------ the evening

    def evening(self, day: date) -> str:
        """All accounts: nobody lost, every promise told, done or taken back with something after it."""
        assert faults(self.store, self.now, in_turn=True) == []
        self.promises_stand()
        counts = self.coverage()
        begin, end = day_bounds(day, ZONE)
        with self.store.read() as connection:
            figures = count_callbacks(connection, begin, end, until=self.now)
        booked = dict(tuple(row) for row in self.rows("SELECT state, count(*) FROM booking GROUP BY 1"))
        classes = " ".join(f"{state.value} {counts[state]}" for state in Coverage)
        return (
            f"{day:%a %d/%m}: {classes}; told {booked.get('told', 0)} done {booked.get('done', 0)} withdrawn"
            f" {booked.get('withdrawn', 0)}; rung {sum(f.attempts for f in figures)}, promises"
            f" {sum(f.kept for f in figures)} kept of {sum(f.promised for f in figures)}"
        )

    def coverage(self) -> Mapping[Coverage, int]:
        """Each postponement once, by hand; the accounts compare the program's own count."""
        counts = dict.fromkeys(Coverage, 0)
        facts = ("tried_at", "reached_at", "decided_at", "rebooked_at", "done_at")
        for row in self.rows(f"SELECT {', '.join(facts)} FROM postponement WHERE matched_to_id IS NULL"):
            counts[coverage_of(dict(zip(facts, row, strict=True)))] += 1
        return counts

    def promises_stand(self) -> None:
        """No place that was told disappears; no moment that was promised is forgotten without a word."""
        there = {row[0]: (row[1], row[2]) for row in self.rows("SELECT id, state, slot_on FROM booking")}
        assert self.told.keys() <= there.keys()
        assert all(there[number][1] == day.isoformat() for number, day in self.told.items())
        self.told |= {number: date.fromisoformat(day) for number, (_state, day) in there.items()}
        unsettled = self.rows(
            f"SELECT b.id FROM booking b JOIN postponement p ON p.id = b.postponement_id WHERE {UNSETTLED}"
            " AND b.state <> 'withdrawn'"
        )
        assert unsettled == []
        vanished = [key for key, callback_id in self.windows.items() if not self.is_kept(callback_id, *key)]
        assert vanished == [], "a promised moment that is neither to come, kept, broken nor replaced"

    def is_kept(self, callback_id: int, patient_id: int, until: str) -> bool:
        """Still to come; kept or broken by an attempt; or the patient was spoken to in the meantime."""
        sql = """
            SELECT EXISTS (SELECT 1 FROM callback WHERE id = :id AND (promised_until = :until OR state = 'closed'))
              OR EXISTS (SELECT 1 FROM attempt WHERE callback_id = :id AND promised_until = :until)
              OR EXISTS (SELECT 1 FROM attempt WHERE callback_id = :id AND reach = 'patient' AND promised_until IS NULL)
              OR EXISTS (SELECT 1 FROM call_patient l JOIN call ON call.id = l.call_id
                WHERE l.patient_id = :patient
                  AND call.entered_at >= (SELECT created_at FROM callback WHERE id = :id))"""
        with self.store.read() as connection:
            values = {"id": callback_id, "until": until, "patient": patient_id}
            return bool(connection.exec_driver_sql(sql, values).scalar())


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    """The desk of the shipped data, without the plan of 30 May, which the replay makes itself."""
    folder = tmp_path / "data"
    shutil.copytree(data_folder(), folder)
    known = (folder / "openings.toml").read_text(encoding="utf-8")
    (folder / "openings.toml").write_text(known.split("# Plan of 30 May")[0], encoding="utf-8")
    path, begin = tmp_path / "desk.db", datetime(2022, 5, 17, 5, 0, tzinfo=UTC)
    init_desk(path, folder, admin_login="chef", now=begin)
    store = open_desk(path)
    chef = find_agent(store, "chef")
    assert chef
    for login in LOGINS:
        add_agent(store, login=login, name=login.title(), role=Role.AGENT, agent=chef, now=begin)
    add_agent(store, login="sonia", name="Sonia", role=Role.SUPERVISOR, agent=chef, now=begin)
    yield Replay(store, tmp_path, 2022)
    store.close()


def may_30(replay: Replay) -> None:
    replay.plan("arlon", date(2022, 5, 31), 12, rooms=4)
    replay.plan("marche", date(2022, 6, 1), 15, rooms=5)
    replay.plan("libramont", date(2022, 6, 2), 12)
    replay.plan("bastogne", date(2022, 6, 3), 6)
    for site_id, day, capacity in (("arlon", 31, 12), ("marche", 1, 15), ("libramont", 2, 12), ("bastogne", 3, 6)):
        opens_on = date(2022, 5, 31) if day == 31 else date(2022, 6, day)
        replay.confirm(site_id, opens_on, capacity)  # and so patients were told days that did not hold


def june_1(replay: Replay) -> None:
    """Marche slips a day, Libramont five, Bastogne four; the instruction of 23 May is turned round."""
    told = {
        "marche": replay.slip("marche", date(2022, 6, 2), 15, "un jour de plus"),
        "libramont": replay.slip("libramont", date(2022, 6, 7), 12, "imagerie"),
        "bastogne": replay.slip("bastogne", date(2022, 6, 7), 6, "imagerie"),
    }
    print(f"   slipped on 1 June, told a day that no longer held: {told}")
    assert told["libramont"] > 0
    assert told["bastogne"] > 0
    before = instruction_now(replay.store, site_id=None, now=replay.now).instruction
    assert before
    form = InstructionForm("Chaque personne est appelée individuellement. Ne pas se déplacer sans avoir été appelé.")
    issue_instruction(replay.store, form, agent=replay.sonia, now=replay.now)
    rung = ring_them(
        replay.store, before.instruction_id, reason="consigne inversée", agent=replay.sonia, now=replay.now
    )
    print(f"   told the instruction of 23 May: {rung.told}, callbacks made {rung.made}, extended {rung.extended}")
    assert rung.told > 0


def june_2(replay: Replay) -> None:
    gone = replay.slip("arlon", date(2022, 6, 2), 12, "2 implants au plus", limits={"implant": 2})
    print(f"   Arlon takes two implants a day: {gone} told a day that no longer held")


def june_15(replay: Replay) -> None:
    for site_id, capacity in (("arlon", 16), ("marche", 16), ("libramont", 16), ("bastogne", 8)):
        replay.confirm(site_id, date(2022, 6, 15), capacity)
    form = InstructionForm(
        "Rendez-vous non annulé : venir. Annulé entre le 14 mai et le 15 juin : rappeler le service dès la semaine"
        " prochaine."
    )
    issue_instruction(replay.store, form, agent=replay.sonia, now=replay.now)


def june_17(replay: Replay) -> None:
    """The secretariat of Bastogne takes over; it signs for all but two."""
    made = make_handover(
        replay.store, "bastogne", None, reason="le secrétariat reprend", agent=replay.sonia, now=replay.now
    )
    lines = range(1, made.count + 1)
    answer_lines(replay.store, made.handover_id, lines[:-2], HandoverState.ACKNOWLEDGED, answered_by="Mme Noiret",
                 agent=replay.sonia, now=replay.now)  # fmt: skip
    assert len(read_handover(replay.store, made.handover_id, now=replay.now).lines) == made.count
    print(f"   handed over to Bastogne: {made.count}, of which two are not acknowledged")


EVENTS = {
    date(2022, 5, 19): lambda replay: replay.import_lists(1),
    date(2022, 5, 25): lambda replay: replay.import_lists(2),
    date(2022, 5, 30): may_30, date(2022, 6, 1): june_1, date(2022, 6, 2): june_2, date(2022, 6, 15): june_15,
    date(2022, 6, 17): june_17,
}  # fmt: skip


@pytest.mark.timeout(180)
def test_nobody_was_lost_and_every_promise_is_accounted_for(replay: Replay) -> None:
    day, said = FIRST, []
    while day <= LAST:
        replay.now = replay.at(day, 8, 5)
        if day in EVENTS:
            EVENTS[day](replay)
        replay.decide()
        for _number in range(8 if day < date(2022, 6, 2) else 3):  # the line was switched off on 2 June
            replay.now += timedelta(minutes=4)
            replay.caller()
        for number in range(RINGS_A_DAY):
            replay.now += timedelta(minutes=9)
            if not replay.ring(LOGINS[number % len(LOGINS)]):
                replay.now += timedelta(minutes=40)
            if number == RINGS_A_DAY // 2:
                replay.cancel_one()
            if replay.now > replay.at(day, 19, 30):
                break
        replay.now = max(replay.now, replay.at(day, 20, 30))
        replay.day_is_done(day)
        said.append(replay.evening(day))
        print(said[-1])
        day += timedelta(days=1)
    assert journal_fault(replay.store) == ""
    counts = replay.coverage()
    assert counts[Coverage.DONE] > 100, "the replay came to nothing"
    lines = list_services(replay.store, "libramont", now=replay.now, as_of=replay.at(date(2022, 5, 31), 20))
    planned = next(line for line in lines if line.service_id == replay.surgery("libramont"))
    row = planned.planned or planned.coming
    assert row is not None
    assert row.opens_on == date(2022, 6, 2), "what was planned on 31 May can still be asked"
