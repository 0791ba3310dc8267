"""Calls, the instructions read out in them, and the journal."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Instruction(SQLModel, table=True):
    __tablename__ = "instruction"

    id: int | None = Field(default=None, primary_key=True)
    site_id: str | None = None
    service_id: int | None = None
    topic: str | None = None
    version: int = 1
    words: str
    valid_from: datetime
    valid_until: datetime | None = None
    replaces_id: int | None = None
    issued_by: str
    issued_at: datetime
    translations: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Retelling(SQLModel, table=True):
    __tablename__ = "retelling"

    instruction_id: int = Field(primary_key=True)
    callback_id: int = Field(primary_key=True)
    told_at: datetime
    was_read_out: bool
    reason: str = ""
    made_by: int
    made_at: datetime


class Call(SQLModel, table=True):
    __tablename__ = "call"

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    number: int
    reference: str
    started_at: datetime
    ended_at: datetime | None = None
    entered_at: datetime
    taken_by: int | None = None
    taken_by_name: str = ""
    entered_by: int
    slip_number: str = ""
    caller_phone: str | None = None
    caller_phone_said: str = ""
    is_withheld: bool = False
    caller_name: str = ""
    caller_kind: str | None = None
    relation: str = ""
    language: str = ""
    site_id: str | None = None
    topic: str | None = None
    words: str = ""
    note: str = ""
    red_flag: str | None = None
    way_out: str = ""
    instruction_id: int | None = None
    was_read_out: bool = False
    disposition: str
    wish: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    reversed_phone: str = ""


class CallPatient(SQLModel, table=True):
    __tablename__ = "call_patient"

    call_id: int = Field(primary_key=True)
    patient_id: int = Field(primary_key=True)


class CallItem(SQLModel, table=True):
    __tablename__ = "call_item"

    call_id: int = Field(primary_key=True)
    postponement_id: int = Field(primary_key=True)
    disposition: str | None = None


class Journal(SQLModel, table=True):
    __tablename__ = "journal"

    seq: int | None = Field(default=None, primary_key=True)
    entered_at: datetime
    happened_at: datetime
    agent: str
    action: str
    subject: str
    subject_id: str
    detail: str
    previous: str
    hash: str


class JournalHead(SQLModel, table=True):
    __tablename__ = "journal_head"

    id: int | None = Field(default=None, primary_key=True)
    seq: int
    hash: str
