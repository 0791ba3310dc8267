"""Callbacks and attempts; openings and bookings."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Callback(SQLModel, table=True):
    __tablename__ = "callback"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    site_id: str
    state: str = "waiting"
    tier: int
    due_at: datetime
    why: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    released_at: datetime | None = None
    release_why: str = ""
    not_before: datetime | None = None
    promised_from: datetime | None = None
    promised_until: datetime | None = None
    part_of_day: str = "any"
    number: str = ""
    hold: str = ""
    for_agent_id: int | None = None
    attempts: int = 0
    unanswered: int = 0
    last_attempt_at: datetime | None = None
    leased_by: int | None = None
    leased_at: datetime | None = None
    lease_until: datetime | None = None
    generation: int = 0
    made_in_call_id: int | None = None
    note: str = ""
    created_at: datetime
    closed_at: datetime | None = None
    closed_by: int | None = None
    closed_as: str = ""


class CallbackItem(SQLModel, table=True):
    __tablename__ = "callback_item"

    callback_id: int = Field(primary_key=True)
    postponement_id: int = Field(primary_key=True)
    added_at: datetime


class Attempt(SQLModel, table=True):
    __tablename__ = "attempt"

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    callback_id: int
    agent_id: int
    generation: int
    number: str = ""
    started_at: datetime
    ended_at: datetime
    entered_at: datetime
    disposition: str
    reach: str
    note: str = ""
    next_at: datetime | None = None
    next_step: str
    instruction_id: int | None = None
    was_read_out: bool = False
    promised_from: datetime | None = None
    promised_until: datetime | None = None


class AttemptItem(SQLModel, table=True):
    __tablename__ = "attempt_item"

    attempt_id: int = Field(primary_key=True)
    postponement_id: int = Field(primary_key=True)
    disposition: str


class Opening(SQLModel, table=True):
    __tablename__ = "opening"

    id: int | None = Field(default=None, primary_key=True)
    service_id: int
    stage: str
    state: str
    opens_on: date
    capacity_a_day: int | None = None
    reason: str = ""
    agent_id: int | None = None
    entered_at: datetime


class Booking(SQLModel, table=True):
    __tablename__ = "booking"

    id: int | None = Field(default=None, primary_key=True)
    postponement_id: int
    service_id: int
    slot_on: date
    slot_time: time | None = None
    state: str
    told_at: datetime
    agent_id: int
    attempt_id: int | None = None
    call_id: int | None = None
    withdrawn_at: datetime | None = None
    withdrawn_why: str = ""
