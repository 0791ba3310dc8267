"""The tables as classes, private to this room, and as Core tables for the statements of its neighbours.

The schema itself is in migrations/; a test holds the two against each other. Rows enter by `insert(tables.call)` with
plain values, and leave as what a screen or a report needs; a class of this package never leaves the room.
"""

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel

from crisisdesk.store.tables.callbacks import (
    Attempt,
    AttemptItem,
    Booking,
    Callback,
    CallbackItem,
    Handover,
    HandoverItem,
    Opening,
)
from crisisdesk.store.tables.calls import Call, CallItem, CallPatient, Instruction, Journal, JournalHead, Retelling
from crisisdesk.store.tables.lists import ImportRow, Layout, Postponement, SourceFile
from crisisdesk.store.tables.people import Agent, Draft, Likeness, Patient, PatientWord, Phone
from crisisdesk.store.tables.reference import (
    CallerKind,
    CapacityLimit,
    ColumnName,
    Desk,
    Disposition,
    Label,
    PriorityLimit,
    RedFlag,
    Service,
    Site,
    Topic,
)
from crisisdesk.store.tables.sessions import AgentSite, Notice, NoticeReading, Session, WorkState


def _core(model: type[SQLModel]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]  # set by SQLModel's metaclass


desk = _core(Desk)
site = _core(Site)
service = _core(Service)
topic = _core(Topic)
caller_kind = _core(CallerKind)
disposition = _core(Disposition)
red_flag = _core(RedFlag)
priority_limit = _core(PriorityLimit)
capacity_limit = _core(CapacityLimit)
column_name = _core(ColumnName)
label = _core(Label)
agent = _core(Agent)
draft = _core(Draft)
patient = _core(Patient)
patient_word = _core(PatientWord)
phone = _core(Phone)
likeness = _core(Likeness)
layout = _core(Layout)
source_file = _core(SourceFile)
import_row = _core(ImportRow)
postponement = _core(Postponement)
instruction = _core(Instruction)
retelling = _core(Retelling)
call = _core(Call)
call_patient = _core(CallPatient)
call_item = _core(CallItem)
journal = _core(Journal)
journal_head = _core(JournalHead)
callback = _core(Callback)
callback_item = _core(CallbackItem)
attempt = _core(Attempt)
attempt_item = _core(AttemptItem)
opening = _core(Opening)
booking = _core(Booking)
handover = _core(Handover)
handover_item = _core(HandoverItem)
agent_site = _core(AgentSite)
session = _core(Session)
work_state = _core(WorkState)
notice = _core(Notice)
notice_reading = _core(NoticeReading)
