"""Agents at their terminals, what they are doing, and what they are told."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class AgentSite(SQLModel, table=True):
    __tablename__ = "agent_site"

    agent_id: int = Field(primary_key=True)
    site_id: str = Field(primary_key=True)


class Session(SQLModel, table=True):
    __tablename__ = "session"

    id: int | None = Field(default=None, primary_key=True)
    agent_id: int
    started_at: datetime
    seen_at: datetime
    process: str
    origin: str = ""
    attested_by: str = ""
    state: str = "ready"
    state_at: datetime
    reason: str = ""
    site_id: str | None = None
    ended_at: datetime | None = None
    ended_why: str = ""
    ended_by: int | None = None


class WorkState(SQLModel, table=True):
    __tablename__ = "work_state"

    id: int | None = Field(default=None, primary_key=True)
    session_id: int
    started_at: datetime
    state: str
    reason: str = ""
    site_id: str | None = None


class Notice(SQLModel, table=True):
    __tablename__ = "notice"

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    kind: str
    is_urgent: bool
    words: str
    subject_id: str = ""
    site_id: str | None = None
    to_agent_id: int | None = None
    sent_by: int
    sent_at: datetime
    until: datetime


class NoticeReading(SQLModel, table=True):
    __tablename__ = "notice_reading"

    notice_id: int = Field(primary_key=True)
    agent_id: int = Field(primary_key=True)
    read_at: datetime
