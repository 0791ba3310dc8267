"""Agents and their drafts; patients, their numbers and likenesses."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Agent(SQLModel, table=True):
    __tablename__ = "agent"

    id: int | None = Field(default=None, primary_key=True)
    login: str
    name: str
    role: str
    language: str = ""
    is_active: bool = True
    created_at: datetime
    seen_at: datetime | None = None


class Draft(SQLModel, table=True):
    __tablename__ = "draft"

    uid: str = Field(primary_key=True)
    agent_id: int
    kind: str
    fields: list[Any] = Field(sa_type=JSON)
    started_at: datetime
    saved_at: datetime


class Patient(SQLModel, table=True):
    __tablename__ = "patient"

    id: int | None = Field(default=None, primary_key=True)
    last_name: str = ""
    first_name: str = ""
    full_name: str = ""
    name_key: str = ""
    first_key: str = ""
    birth_on: date | None = None
    is_birth_guessed: bool = False
    niss: str | None = None
    record_number: str = ""
    postcode: str = ""
    town: str = ""
    language: str = ""
    voicemail: str = "unknown"
    contact_note: str = ""
    proof: str = ""
    is_provisional: bool = False
    death_reported_at: datetime | None = None
    death_reported_by: int | None = None
    death_confirmed_by: int | None = None
    merged_into_id: int | None = None
    created_at: datetime
    may_tell: str = "unknown"
    may_tell_who: str = ""
    gp: str = ""
    next_of_kin: str = ""


class PatientWord(SQLModel, table=True):
    __tablename__ = "patient_word"

    patient_id: int = Field(primary_key=True)
    word: str = Field(primary_key=True)


class Phone(SQLModel, table=True):
    __tablename__ = "phone"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    position: int = 0
    number: str
    reversed: str
    comment: str = ""
    is_guessed: bool = False
    found_wrong_at: datetime | None = None
    added_at: datetime


class Likeness(SQLModel, table=True):
    __tablename__ = "likeness"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    other_id: int
    strength: str
    why: str
    state: str = "proposed"
    moved: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    decided_by: int | None = None
    decided_at: datetime | None = None
    proposed_at: datetime
