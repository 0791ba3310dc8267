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
    channel: str = ""
    channels_done: list[Any] = Field(default_factory=list, sa_type=JSON)
    for_agent_id: int | None = None
    asked_at: datetime | None = None
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
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    undone_at: datetime | None = None
    undone_by: int | None = None
    undone_why: str = ""
    corrects_id: int | None = None


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
    until_on: date | None = None
    includes_days_off: bool = False
    rooms: int | None = None
    limits: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


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
    needs: list[Any] = Field(default_factory=list, sa_type=JSON)
    withdrawn_by: int | None = None
    withdrawn_opening_id: int | None = None


class Handover(SQLModel, table=True):
    __tablename__ = "handover"

    id: int | None = Field(default=None, primary_key=True)
    site_id: str | None = None
    service_id: int | None = None
    reason: str = ""
    made_by: int
    made_at: datetime
    sha256: str = ""
    journal_seq: int = 0


class HandoverItem(SQLModel, table=True):
    __tablename__ = "handover_item"

    handover_id: int = Field(primary_key=True)
    postponement_id: int = Field(primary_key=True)
    position: int
    state: str = "offered"
    answered_by: str = ""
    answered_at: datetime | None = None
    entered_by: int | None = None
    note: str = ""
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
