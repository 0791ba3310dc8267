"""Lists and what was concluded of each of their rows."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Layout(SQLModel, table=True):
    __tablename__ = "layout"

    layout_key: str = Field(primary_key=True)
    mapping: dict[str, Any] = Field(sa_type=JSON)
    agent_id: int | None = None
    saved_at: datetime


class SourceFile(SQLModel, table=True):
    __tablename__ = "source_file"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    sha256: str
    series_key: str
    layout_key: str
    earlier_id: int | None = None
    encoding: str
    site_id: str | None = None
    kind: str | None = None
    counts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    warnings: list[Any] = Field(default_factory=list, sa_type=JSON)
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    agent_id: int | None = None
    staged_at: datetime
    published_at: datetime | None = None


class ImportRow(SQLModel, table=True):
    __tablename__ = "import_row"

    id: int | None = Field(default=None, primary_key=True)
    source_file_id: int
    sheet: str | None = None
    row: int
    first_line: int | None = None
    last_line: int | None = None
    status: str
    codes: list[Any] = Field(default_factory=list, sa_type=JSON)
    duplicate_of: int | None = None
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    cells: list[Any] = Field(default_factory=list, sa_type=JSON)
    item_key: str = ""
    patient_id: int | None = None
    patient_why: str = ""
    postponement_id: int | None = None
    change: str | None = None
    changed: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Postponement(SQLModel, table=True):
    __tablename__ = "postponement"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    site_id: str | None = None
    service_id: int | None = None
    service_name: str = ""
    kind: str | None = None
    procedure: str = ""
    clinician: str = ""
    room: str = ""
    remark: str = ""
    original_on: date | None = None
    planned_on: date | None = None
    planned_time: time | None = None
    priority: str | None = None
    priority_said: str = ""
    priority_by: str = ""
    is_protected: bool = False
    source: str
    item_key: str = ""
    reported_in_call_id: int | None = None
    matched_to_id: int | None = None
    missing_since_id: int | None = None
    tried_at: datetime | None = None
    reached_at: datetime | None = None
    decided_at: datetime | None = None
    rebooked_at: datetime | None = None
    done_at: datetime | None = None
    decision: str = ""
    decided_by: str = ""
    created_at: datetime
    needs: list[Any] | None = Field(default=None, sa_type=JSON)
    wish: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    is_reserve: bool = False
    priority_at: datetime | None = None
    priority_listed: str | None = None
    handed_over_at: datetime | None = None


class StagedPatient(SQLModel, table=True):
    __tablename__ = "staged_patient"

    id: int | None = Field(default=None, primary_key=True)
    last_name: str
    first_name: str
    full_name: str
    name_key: str
    first_key: str
    birth_on: str | None = None
    is_birth_guessed: bool
    niss: str | None = None
    record_number: str
    postcode: str
    town: str
    contact_note: str


class StagedWord(SQLModel, table=True):
    __tablename__ = "staged_word"

    word: str = Field(primary_key=True)
    patient_id: int = Field(primary_key=True)


class StagedPhone(SQLModel, table=True):
    __tablename__ = "staged_phone"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    position: int
    number: str
    reversed: str
    comment: str
    is_guessed: bool


class StagedPostponement(SQLModel, table=True):
    __tablename__ = "staged_postponement"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    site_id: str | None = None
    service_id: int | None = None
    service_name: str
    kind: str | None = None
    procedure: str
    clinician: str
    room: str
    remark: str
    planned_on: str | None = None
    planned_time: str | None = None
    priority: str | None = None
    priority_said: str
    is_protected: bool
    callback_id: int | None = None


class StagedCallback(SQLModel, table=True):
    __tablename__ = "staged_callback"

    id: int | None = Field(default=None, primary_key=True)
    patient_id: int
    site_id: str
    tier: int
    due_at: str
    why: str
    is_protected: bool
