"""Reference data, loaded once when a desk is made."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Desk(SQLModel, table=True):
    __tablename__ = "desk"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    incident: str
    incident_at: datetime
    country: str
    time_zone: str
    languages: list[Any] = Field(sa_type=JSON)
    national_number: str
    neighbour_regions: list[Any] = Field(sa_type=JSON)
    calls_from: time
    calls_until: time
    call_weekdays: list[Any] = Field(sa_type=JSON)
    lease_seconds: int
    rest_seconds: int
    attempts_per_number_a_day: int
    attempts_in_all: int
    release_days_ahead: int
    public_number: str
    holidays: list[Any] = Field(default_factory=list, sa_type=JSON)
    is_demo: bool = False
    clock_shift_seconds: int = 0
    opened_at: datetime
    reference_version: int = 1
    release_reserve_percent: int = 0
    channels: list[Any] = Field(default_factory=lambda: ["letter", "gp", "next_of_kin"], sa_type=JSON)
    channel_wait_seconds: int = 864_000
    undo_seconds: int = 900
    absent_seconds: int = 1800
    near_limit_days: int = 7
    coverage_alarm_percent: int = 80
    closed_at: datetime | None = None
    closed_by: int | None = None
    idle_seconds: int = 600
    idle_end_seconds: int = 60
    session_seconds: int = 43_200


class Site(SQLModel, table=True):
    __tablename__ = "site"

    id: str = Field(primary_key=True)
    position: int
    name: str
    hospital: str
    postcode: str
    phone: str = ""
    on_call_phone: str = ""
    aliases: list[Any] = Field(default_factory=list, sa_type=JSON)
    phone_prefix: str = ""


class Service(SQLModel, table=True):
    __tablename__ = "service"

    id: int | None = Field(default=None, primary_key=True)
    site_id: str
    position: int
    code: str
    kind: str
    name: str
    is_protected: bool = False
    lead_days: int = 0
    aliases: list[Any] = Field(default_factory=list, sa_type=JSON)


class Topic(SQLModel, table=True):
    __tablename__ = "topic"

    code: str = Field(primary_key=True)
    position: int
    key: str
    concerns_postponement: bool


class CallerKind(SQLModel, table=True):
    __tablename__ = "caller_kind"

    code: str = Field(primary_key=True)
    position: int
    key: str
    is_patient: bool
    asks_relation: bool


class Disposition(SQLModel, table=True):
    __tablename__ = "disposition"

    scope: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    position: int
    key: str
    is_final: bool
    reach: str
    next_step: str
    delay_seconds: int | None = None
    other_part_of_day: bool
    cap: int | None = None
    coverage: str | None = None
    needs_note: bool
    needs_clinician: bool
    is_quick: bool
    makes_callback: bool
    cap_a_day: int | None = None
    channel: str = ""
    needs_permission: bool = False


class RedFlag(SQLModel, table=True):
    __tablename__ = "red_flag"

    code: str = Field(primary_key=True)
    position: int
    key: str
    way_out: str
    signed_off_by: str = ""


class PriorityLimit(SQLModel, table=True):
    __tablename__ = "priority_limit"

    code: str = Field(primary_key=True)
    position: int
    limit_seconds: int


class CapacityLimit(SQLModel, table=True):
    __tablename__ = "capacity_limit"

    code: str = Field(primary_key=True)
    position: int
    words: list[Any] = Field(default_factory=list, sa_type=JSON)


class ColumnName(SQLModel, table=True):
    __tablename__ = "column_name"

    field: str = Field(primary_key=True)
    position: int
    name: str = Field(primary_key=True)


class Label(SQLModel, table=True):
    __tablename__ = "label"

    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    words: str
