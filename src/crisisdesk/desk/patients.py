"""One person's file: read, corrected, merged with another record and parted again; a death confirmed by a second
agent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crisisdesk import clock
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.linking import reported_matches
from crisisdesk.desk.patientfields import COLUMNS, read_correction, refuse_unseen_fields
from crisisdesk.desk.reference import load_reference
from crisisdesk.desk.reserving import serve_reserve
from crisisdesk.desk.rights import needs
from crisisdesk.domain.person import Likeness, PatientFile, ReportedMatch
from crisisdesk.domain.phone import read_phones
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Role, Strength, Voicemail
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import bookings, callbacks, deaths, journal, likenesses, parting, patients, personfile, reported
from crisisdesk.store.engine import Connection, Store
from crisisdesk.store.matchdetails import read_details

OWN_COLUMNS = (
    "last_name", "first_name", "full_name", "birth_on", "niss", "record_number", "town", "language", "voicemail",
    "contact_note", "proof", "is_provisional", "death_reported_at",
)  # fmt: skip


@needs(Right.READ)
def open_patient(store: Store, patient_id: int, *, agent: Agent, now: datetime) -> PatientFile:
    """Everything about one person, oldest to newest; a record that was merged opens the one that stands for it.

    The read is journalled, in the same transaction: who looked, and when.

    Raises:
        RuleBroken: there is no such patient.
    """
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        _tell(connection, agent, "patient.read", patient_id, {}, now)
        return _file(connection, patient_id, now)


def _file(connection: Connection, patient_id: int, now: datetime) -> PatientFile:
    row = personfile.read_row(connection, patient_id)
    if row is None:
        raise RuleBroken(_("There is no patient {number}.").format(number=patient_id))
    details = read_details(connection, [patient_id], now=now)
    items = tuple(details.items[patient_id])
    return PatientFile(
        patient_id=patient_id,
        **{name: row[name] for name in OWN_COLUMNS},
        is_death_confirmed=row["death_confirmed_by"] is not None,
        phones=tuple(details.phones[patient_id]),
        items=items,
        listed=personfile.listed_in(connection, [item.postponement_id for item in items]),
        callbacks=tuple(details.callbacks[patient_id]),
        events=personfile.events(connection, patient_id),
        likenesses=_likenesses(connection, patient_id),
        reported=(
            *(ReportedMatch(*pair, patient_id, is_confirmed=True) for pair in reported.matched(connection, patient_id)),
            *reported_matches(connection, [patient_id]),
        ),
    )


def _likenesses(connection: Connection, patient_id: int | None, limit: int = 50) -> tuple[Likeness, ...]:
    found = []
    for row in likenesses.open_of(connection, patient_id, limit):
        other_id = row.other_id if row.patient_id == patient_id else row.patient_id
        other = personfile.read_row(connection, other_id)
        name = f"{other['last_name']} {other['first_name']}".strip() or other["full_name"] if other else ""
        birth_on = other["birth_on"] if other else None
        found.append(Likeness(row.id, other_id, name, birth_on, Strength(row.strength), row.why, row.state))
    return tuple(found)


def _standing(connection: Connection, patient_id: int) -> int:
    standing = patients.standing_for(connection, patient_id)
    if standing is None:
        raise RuleBroken(_("There is no patient {number}.").format(number=patient_id))
    return standing


def _tell(
    connection: Connection, agent: Agent, action: str, patient_id: int, detail: Mapping[str, Any], now: datetime
) -> None:
    journal.append(
        connection, agent=agent.login, action=action, subject="patient", subject_id=patient_id, detail=detail, now=now
    )


# ---------------------------------------------------------------- corrections


@needs(Right.AMEND_PATIENT)
def correct_patient(
    store: Store, patient_id: int, *, agent: Agent, now: datetime, seen: Mapping[str, Any] | None = None, **said: str
) -> Mapping[str, list[object]]:
    """Correct last_name, first_name, birth, niss, language or contact_note, as typed, or voicemail by its code; the old
    value stays in the journal.

    Args:
        seen: what stood in the fields when the agent saw them, by the same names: values, or texts that read as them.
            A field that is not named here is written over whatever stands there.

    Returns:
        {column: [old, new]} of what changed.

    Raises:
        RuleBroken: a field is unknown, or a text cannot be read.
        Conflict: somebody changed one of these fields since it was seen; nothing was written.
    """
    reference = load_reference(store)
    wanted = read_correction(said, reference, now)
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        before = personfile.values_of(connection, patient_id)
        refuse_unseen_fields(connection, patient_id, wanted, seen, before, reference, now)
        values = {COLUMNS.get(name, name): value for name, value in wanted.items()}
        changed = patients.set_fields(
            connection, patient_id, values | ({"is_birth_guessed": False} if "birth" in wanted else {})
        )
        if {"last_name", "first_name"} & changed.keys():
            names = {**before, **values}
            patients.rename(connection, patient_id, str(names["last_name"]), str(names["first_name"]))
            if before["full_name"]:  # a name in one piece goes when its parts are known
                changed["full_name"] = [before["full_name"], ""]
        if changed:
            _tell(connection, agent, "patient.changed", patient_id, changed, now)
    return changed


@needs(Right.AMEND_PATIENT)
def correct_field(
    store: Store, patient_id: int, name: str, said: str, *, agent: Agent, now: datetime, **more: Any
) -> Mapping[str, list[object]]:
    """`correct_patient` for one field by name; ``seen=`` what stood in it."""
    seen = {name: more["seen"]} if "seen" in more else None
    return correct_patient(store, patient_id, agent=agent, now=now, seen=seen, **{name: said})


@needs(Right.AMEND_PATIENT)
def add_phone(
    store: Store, patient_id: int, said: str, *, agent: Agent, now: datetime, comment: str = ""
) -> tuple[str, ...]:
    """Add the numbers of a typed text to a patient; gives those that were new, E.164.

    Raises:
        RuleBroken: the text holds no number.
    """
    read = read_phones(said, load_reference(store).desk.country)
    numbers = read.certain or read.guessed
    if not numbers:
        raise RuleBroken(_("'{text}' is no telephone number.").format(text=clean(said).text[:60]))
    words = clean(comment).text or " ".join(read.comments)
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        added = patients.add_phones(
            connection, patient_id, numbers, now=now, comment=words, is_guessed=not read.certain
        )
        if added:
            _tell(connection, agent, "patient.phone_added", patient_id, {"numbers": [None, list(added)]}, now)
    return added


@needs(Right.AMEND_PATIENT)
def mark_phone_wrong(
    store: Store, patient_id: int, number: str, *, agent: Agent, now: datetime, is_wrong: bool = True
) -> None:
    """Say that an E.164 number is not this patient's (nobody rings it any more), or that it is after all.

    Raises:
        RuleBroken: the patient has no such number.
    """
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        changed = patients.mark_phone(connection, patient_id, number, now if is_wrong else None)
        if changed is None:
            raise RuleBroken(_("Patient {id} has no number {number}.").format(id=patient_id, number=number))
        if changed:  # said a second time it changes nothing
            action = "patient.phone_wrong" if is_wrong else "patient.phone_right"
            _tell(connection, agent, action, patient_id, {"number": number}, now)


@needs(Right.AMEND_PATIENT)
def set_voicemail(
    store: Store, patient_id: int, choice: Voicemail, *, agent: Agent, now: datetime, seen: str | None = None
) -> Mapping[str, list[object]]:
    """Write down what may be left on the patient's machine; gives {column: [old, new]} of what changed.

    Args:
        seen: what stood there when the agent saw it; None: it is written over whatever stands there.

    Raises:
        Conflict: somebody changed it since it was seen; nothing was written.
    """
    reference = load_reference(store)
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        wanted, known = {"voicemail": Voicemail(choice).value}, None if seen is None else {"voicemail": seen}
        before = personfile.values_of(connection, patient_id)
        refuse_unseen_fields(connection, patient_id, wanted, known, before, reference, now)
        changed = patients.set_fields(connection, patient_id, {"voicemail": Voicemail(choice).value})
        if changed:
            _tell(connection, agent, "patient.changed", patient_id, changed, now)
    return changed


# ---------------------------------------------------------------- one person, two records


def list_likenesses(store: Store, *, limit: int = 50) -> tuple[Likeness, ...]:
    """Pairs that wait for a person's decision, newest first; ``other_id`` is the first record of the pair."""
    with store.read() as connection:
        return _likenesses(connection, None, limit)


@needs(Right.AMEND_PATIENT)
def merge_patients(store: Store, patient_id: int, other_id: int, *, agent: Agent, now: datetime, why: str = "") -> int:
    """Say that two records are one person; everything of ``other_id`` goes to ``patient_id``, and can be parted again.

    A record from a list stands before a provisional one, whichever is named first. Gives the id that stands.

    Raises:
        RuleBroken: one of them does not exist, or both are one already.
    """
    with store.write() as connection:
        stays, gone = _standing(connection, patient_id), _standing(connection, other_id)
        if stays == gone:
            raise RuleBroken(_("Patients {one} and {other} are one already.").format(one=patient_id, other=other_id))
        stays, gone = _listed_first(connection, stays, gone)
        row = likenesses.of_pair(connection, stays, gone)
        if row is None:
            proposal = {"patient_id": stays, "other_id": gone, "strength": Strength.FAIR.value, "why": why or "agent",
                        "proposed_at": now}  # fmt: skip
            likenesses.propose(connection, [proposal])
            row = likenesses.of_pair(connection, stays, gone)
        moved = likenesses.merge(connection, stays, gone, now)
        if row is not None:
            likenesses.decide(connection, row.id, "merged", agent.agent_id, moved, now)
        callbacks.redate(connection, [pair[1] for pair in moved["callback_joined"]])
        _stop_for_death(connection, stays, load_reference(store), agent, now)
        _tell(connection, agent, "patient.merged", stays, {"merged": [None, gone], "moved": moved}, now)
    return stays


def _stop_for_death(connection: Connection, patient_id: int, reference: Reference, agent: Agent, now: datetime) -> None:
    """What was said of the death of one of two records holds for the one person that they are."""
    state = deaths.state_of(connection, patient_id)
    if state["death_confirmed_by"] is not None:
        _confirm(connection, patient_id, reference, agent, now, by=state["death_confirmed_by"])
    elif state["death_reported_at"] is not None:
        callbacks.stop_for_death(connection, patient_id)


def _listed_first(connection: Connection, one: int, other: int) -> tuple[int, int]:
    first, second = personfile.read_row(connection, one), personfile.read_row(connection, other)
    swap = first and second and first["is_provisional"] and not second["is_provisional"]
    return (other, one) if swap else (one, other)


@needs(Right.AMEND_PATIENT)
def split_patients(store: Store, likeness_id: int, *, agent: Agent, now: datetime) -> None:
    """Undo a merge: what came from each record goes back to it.

    Raises:
        RuleBroken: this pair is not merged, or was merged into a third record since.
    """
    with store.write() as connection:
        row = likenesses.read(connection, likeness_id)
        if row is None or row.state != "merged":
            raise RuleBroken(_("Pair {number} is not merged.").format(number=likeness_id))
        stays, gone = int(row.moved["stays"]), int(row.moved["gone"])
        if (later := parting.merged_since(connection, stays)) is not None:
            words = _("Patient {one} was merged into patient {other} afterwards: part these two first.")
            raise RuleBroken(words.format(one=stays, other=later))
        likenesses.part(connection, row.moved)
        likenesses.decide(connection, likeness_id, "split", agent.agent_id, row.moved, now)
        reopened = [pair[1] for pair in row.moved["callback_joined"]] + [
            pair[0] for pair in row.moved["callback_joined"]
        ]
        callbacks.redate(connection, reopened)
        right = parting.put_right(connection, [stays, gone], agent_id=agent.agent_id, now=now)
        for number in (row.patient_id, row.other_id):
            _tell(connection, agent, "patient.split", number, {"likeness": likeness_id, **right}, now)


@needs(Right.AMEND_PATIENT)
def split_pair(store: Store, one: int, other: int, *, agent: Agent, now: datetime) -> None:
    """Undo the merge of two records, named by their ids.

    Raises:
        RuleBroken: these two are not merged.
    """
    with store.read() as connection:
        row = likenesses.of_pair(connection, one, other)
    if row is None or row.state != "merged":
        raise RuleBroken(_("Patients {one} and {other} are not merged.").format(one=one, other=other))
    split_patients(store, row.id, agent=agent, now=now)


@needs(Right.AMEND_PATIENT)
def refuse_likeness(store: Store, likeness_id: int, *, agent: Agent, now: datetime) -> None:
    """Say that two records are two persons; the pair is not proposed again.

    Raises:
        RuleBroken: there is no such proposal, or it was decided.
    """
    with store.write() as connection:
        row = likenesses.read(connection, likeness_id)
        if row is None or row.state != "proposed":
            raise RuleBroken(_("Pair {number} waits for no decision.").format(number=likeness_id))
        likenesses.decide(connection, likeness_id, "refused", agent.agent_id, {}, now)
        _tell(connection, agent, "patient.likeness_refused", row.patient_id, {"other": row.other_id}, now)


# ---------------------------------------------------------------- death


@needs(Right.AMEND_PATIENT)
def report_death(store: Store, patient_id: int, *, agent: Agent, now: datetime) -> list[int]:
    """Write down that a person is said to have died; every open callback of that person stops at once. Gives their
    ids."""
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        return deaths.report(connection, patient_id, agent_id=agent.agent_id, login=agent.login, call_id=None, now=now)


@needs(Right.AMEND_PATIENT)
def confirm_death(store: Store, patient_id: int, *, agent: Agent, now: datetime) -> list[int]:
    """Confirm a reported death, as the second agent; the stopped callbacks close. Gives their ids.

    What callers asked for since a confirmation waits on hold, for it may be a mistake: it is confirmed once more.

    Raises:
        RuleBroken: nothing was reported, it is confirmed and nothing was asked since, or this agent reported it.
    """
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        state = _reported_death(connection, patient_id)
        confirmed_by = state["death_confirmed_by"]
        if confirmed_by is not None and not deaths.is_asked_since(connection, patient_id):
            raise RuleBroken(_("This death is confirmed already."))
        if state["death_reported_by"] == agent.agent_id:
            raise RuleBroken(_("Whoever wrote down a death does not confirm it: ask a second agent."))
        return _confirm(connection, patient_id, load_reference(store), agent, now, by=confirmed_by)


def _confirm(
    connection: Connection,
    patient_id: int,
    reference: Reference,
    agent: Agent,
    now: datetime,
    by: int | None = None,
) -> list[int]:
    """The callbacks close, nothing is owed any more, and the places told go to the reserve list."""
    today = clock.local_day(now, reference.desk.time_zone)
    told = [bookings.booking_row(connection, key) for key, _item in bookings.told_to(connection, patient_id, today)]
    closed = deaths.confirm(connection, patient_id, agent_id=by or agent.agent_id, login=agent.login, now=now)
    for place in told:
        if place is not None:
            serve_reserve(connection, place.service_id, place.slot_on, reference, agent.login, now)
    return closed


@needs(Right.AMEND_PATIENT)
def refute_death(store: Store, patient_id: int, *, agent: Agent, now: datetime, why: str) -> list[int]:
    """Say that a reported death is none; the stopped callbacks may be rung again. Gives their ids.

    Raises:
        RuleBroken: nothing was reported, no reason is given, or it was confirmed and this is no supervisor.
    """
    reason = clean(why).text
    if not reason:
        raise RuleBroken(_("Say how it was found that the person is alive."))
    with store.write() as connection:
        patient_id = _standing(connection, patient_id)
        state = _reported_death(connection, patient_id)
        if state["death_confirmed_by"] is not None and agent.role not in {Role.SUPERVISOR, Role.ADMIN}:
            raise RuleBroken(_("This death is confirmed: only a supervisor can take it back."))
        return deaths.refute(connection, patient_id, login=agent.login, why=reason, now=now)


def _reported_death(connection: Connection, patient_id: int) -> Mapping[str, Any]:
    state = deaths.state_of(connection, patient_id)
    if state["death_reported_at"] is None:
        raise RuleBroken(_("No death was reported of patient {number}.").format(number=patient_id))
    return state
