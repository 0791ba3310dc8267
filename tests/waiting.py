"""Patients who wait, for tests that need a queue. Everything goes through the store's own tables."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert, select

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, RecordedAttempt, record_attempt
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.wishes import Wish
from crisisdesk.store import callbacks, tables
from crisisdesk.store.engine import Store
from crisisdesk.store.patients import PatientIdentity, add_patient, add_phones

_serial = count(1)


class World:
    """A desk under test, its clock and its people."""

    def __init__(
        self, store: Store, now: datetime, agents: tuple[str, str, str] = ("amelie", "bruno", "sonia")
    ) -> None:
        """``agents``: logins of two agents and a supervisor."""
        self.store, self.now = store, now
        self.reference = load_reference(store)
        self.amelie, self.bruno, self.sonia = (self.agent(login) for login in agents)

    def agent(self, login: str) -> Agent:
        found = find_agent(self.store, login)
        assert found
        return found

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def service(self, code: str = "surgery", site_id: str = "arlon") -> int:
        return next(s.service_id for s in self.reference.services_of(site_id) if s.code == code)

    def patient(self, name: str = "", phones: Sequence[str] | None = None) -> int:
        serial = next(_serial)
        with self.store.write() as connection:
            who = PatientIdentity(last_name=name or f"Patient{serial:04}", first_name="Marie")
            patient_id = add_patient(connection, who, now=self.now)
            numbers = [f"+324701{serial:05}"] if phones is None else list(phones)
            add_phones(connection, patient_id, numbers, now=self.now)
        return patient_id

    def postponement(
        self, patient_id: int, *, priority: str | None = "P3", original_on: date | None = date(2022, 5, 17),
        code: str = "surgery", site_id: str = "arlon",
    ) -> int:  # fmt: skip
        service = self.reference.services[self.service(code, site_id)]
        row = {
            "patient_id": patient_id, "site_id": site_id, "service_id": service.service_id, "kind": service.kind,
            "original_on": original_on, "priority": priority, "source": "list", "created_at": self.now,
            "is_protected": service.is_protected, "procedure": "PTH hanche",
        }  # fmt: skip
        with self.store.write() as connection:
            table = tables.postponement
            return int(connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one())

    def callback(
        self, *, released: bool = False, wish: Wish | None = None, items: int = 1, phones: Sequence[str] | None = None,
        **about: Any,
    ) -> int:  # fmt: skip
        patient_id = self.patient(phones=phones)
        held = [self.postponement(patient_id, **about) for _number in range(items)]
        with self.store.write() as connection:
            return callbacks.hold(
                connection, patient_id=patient_id, site_id=about.get("site_id", "arlon"), postponement_ids=held,
                wish=wish, released=released, call_id=None, agent_id=self.amelie.agent_id, now=self.now,
            )  # fmt: skip

    def row(self, callback_id: int) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(tables.callback).where(tables.callback.c.id == callback_id)).one()

    def items_of(self, callback_id: int) -> list[int]:
        item = tables.callback_item.c
        with self.store.read() as connection:
            return list(connection.scalars(select(item.postponement_id).where(item.callback_id == callback_id)))

    def fact(self, postponement_id: int) -> Any:
        with self.store.read() as connection:
            table = tables.postponement
            return connection.execute(select(table).where(table.c.id == postponement_id)).one()

    def ring(
        self, callback_id: int, disposition: str, *, agent: Agent | None = None, slots: dict[int, date] | None = None,
        **more: Any,
    ) -> RecordedAttempt:  # fmt: skip
        """Take a callback, ring, and record how it ended, now."""
        agent = agent or self.amelie
        card = take(self.store, callback_id, agent=agent, now=self.now)
        assert card.lease
        items = more.pop("items", {}) | {
            number: ItemResult("accepts_date", slot_on=day) for number, day in (slots or {}).items()
        }
        form = AttemptForm(
            uid=f"attempt-{next(_serial)}", callback_id=callback_id, generation=card.lease.generation,
            disposition=disposition, number=card.number, started_at=self.now, items=items, **more,
        )  # fmt: skip
        return record_attempt(self.store, form, agent=agent, now=self.now)
