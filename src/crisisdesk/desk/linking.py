"""Tying a call to the people it is about: the search as one types, and what callers reported against what lists say."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crisisdesk import clock
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.reference import load_reference
from crisisdesk.desk.rights import needs
from crisisdesk.domain.matches import AGAINST, Matches, OpenCallback, PatientMatch, Reason
from crisisdesk.domain.matching import Candidate, MatchQuery, Score, Wanted, read_query, weigh
from crisisdesk.domain.person import ReportedMatch
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.store import callbacks, calls, journal, reported, search
from crisisdesk.store.engine import Connection, Store
from crisisdesk.store.matchdetails import Details, call_line, read_details

__all__ = ["MatchQuery", "Matches", "PatientMatch", "ReportedMatch", "find_matches", "why_not_now", "words_for"]

_WORDS = {
    Reason.NISS: N_("national number"), Reason.NISS_PART: N_("national number begins so"),
    Reason.PHONE: N_("this number"), Reason.PHONE_PART: N_("part of the number"),
    Reason.NAME: N_("name"), Reason.NAME_PART: N_("name begins so"), Reason.NAME_LIKE: N_("name sounds alike"),
    Reason.SWAPPED: N_("names swapped"), Reason.FIRST: N_("first name"), Reason.FIRST_PART: N_("first name begins so"),
    Reason.FIRST_LIKE: N_("first name sounds alike"), Reason.BIRTH: N_("birth date"),
    Reason.BIRTH_NEAR: N_("birth date: one slip away"), Reason.RECORD: N_("record number"),
    Reason.CALL: N_("reference of a call"), Reason.NAME_DIFFERS: N_("another name"),
    Reason.FIRST_DIFFERS: N_("another first name"), Reason.BIRTH_DIFFERS: N_("another birth date"),
    Reason.NISS_DIFFERS: N_("another national number"),
}  # fmt: skip


def words_for(match: PatientMatch) -> tuple[str, ...]:
    """Why a match is shown, in the agent's language; what speaks against it comes last."""
    return tuple(_(_WORDS[reason]) for reason in sorted(match.reasons, key=lambda reason: reason.is_against))


def why_not_now(callback: OpenCallback, *, now: datetime, zone: str) -> str:
    """Where an open callback stands, in words: "queue no. 41", "waits for the opening", "rung by Amélie now"."""
    if callback.leased_by:
        return _("{name} is ringing now").format(name=callback.leased_by)
    if callback.hold:
        return _(_HOLDS.get(callback.hold, callback.hold))
    if not callback.is_released:
        return _("waits for the opening")
    if callback.not_before and callback.not_before > now:
        moment = clock.to_local(callback.not_before, zone)
        return _("not before {moment}").format(moment=f"{moment:%d/%m %H:%M}")
    return _("queue no. {position}").format(position=callback.position) if callback.position else _("in the queue")


_HOLDS = {
    "review": N_("a clinician decides first"),
    "number_search": N_("a number is being looked for"),
    "confirm_death": N_("death to be confirmed"),
}


def find_matches(
    store: Store, query: MatchQuery, *, now: datetime, limit: int = 8, reference: Reference | None = None
) -> Matches:
    """Who may be meant by what was typed so far, best first.

    Args:
        query: any fields, each possibly partial, in any order; ``text`` is sorted into the others by its shape.
        limit: people shown at most; those who only share the number come apart, with the same limit.
        reference: the desk's reference data, when the caller has it; read otherwise.
    """
    desk = (reference or load_reference(store)).desk
    wanted = read_query(query, today=clock.local_day(now, desk.time_zone), region=desk.country)
    if wanted.is_empty:
        return Matches()
    with store.read() as connection:
        return _matches(connection, wanted, now=now, limit=limit)


def _matches(connection: Connection, wanted: Wanted, *, now: datetime, limit: int) -> Matches:
    scored = [(weigh(wanted, one), one) for one in search.find_candidates(connection, wanted)]
    scored.sort(key=lambda pair: (-pair[0].points, pair[1].name_key, pair[1].first_key, pair[1].patient_id))
    same = [pair for pair in scored if _is_meant(pair[0])]
    family = [pair for pair in scored if _shares_number(pair[0]) and not _is_meant(pair[0])]
    shown = [*same[:limit], *family[:limit]]
    details = read_details(connection, [one.patient_id for _score, one in shown], now=now)
    calls: list[Any] = []
    count = 0
    if len(wanted.suffix) >= 6:
        calls, count = search.calls_from_number(connection, wanted.suffix, now=now)
    return Matches(
        matches=tuple(_match(one, score, details) for score, one in same[:limit]),
        on_this_number=tuple(_match(one, score, details) for score, one in family[:limit]),
        earlier_calls=tuple(call_line(row) for row in calls),
        calls_last_day=count,
        reference_near=wanted.reference.near if wanted.reference else (),
    )


_SURE = {Reason.NISS, Reason.CALL, Reason.RECORD}
_OTHER_PERSON = {Reason.NAME_DIFFERS, Reason.FIRST_DIFFERS}


def _is_meant(score: Score) -> bool:
    """More speaks for than against; the same number under another name is family, and stands apart."""
    reasons = score.reasons
    if score.points <= 0 or AGAINST.issuperset(reasons):
        return False
    return not (_shares_number(score) and not _OTHER_PERSON.isdisjoint(reasons)) or not _SURE.isdisjoint(reasons)


def _shares_number(score: Score) -> bool:
    return Reason.PHONE in score.reasons or Reason.PHONE_PART in score.reasons


def _match(candidate: Candidate, score: Score, details: Details) -> PatientMatch:
    _id, last, first, full, _birth, niss, town, is_provisional, dead_at, proof = details.patients[candidate.patient_id]
    return PatientMatch(
        patient_id=candidate.patient_id,
        last_name=last,
        first_name=first,
        full_name=full,
        birth_on=candidate.birth_on,
        niss=niss,
        town=town,
        is_provisional=bool(is_provisional),
        is_dead=dead_at is not None,
        reasons=tuple(score.reasons),
        points=score.points,
        phones=tuple(details.phones[candidate.patient_id]),
        items=tuple(details.items[candidate.patient_id]),
        callbacks=tuple(details.callbacks[candidate.patient_id]),
        last_call=details.last_call.get(candidate.patient_id),
        proof=proof,
    )


def propose_matches_for_reported(
    store: Store, *, patient_ids: Iterable[int] | None = None
) -> tuple[ReportedMatch, ...]:
    """Reported postponements that now stand on a list of the same patient, best first. A person confirms each.

    Args:
        patient_ids: only these patients; None: all.
    """
    with store.read() as connection:
        return reported_matches(connection, None if patient_ids is None else list(patient_ids))


def reported_matches(connection: Connection, patient_ids: list[int] | None) -> tuple[ReportedMatch, ...]:
    """The same, inside a transaction."""
    rows = reported.pairs(connection, patient_ids)
    found = [
        ReportedMatch(*row[:3], why, points) for row in rows for points, why in [_reported_points(row)] if points > 0
    ]
    return tuple(sorted(found, key=lambda one: (-one.points, one.reported_id, one.listed_id)))


def _reported_points(row: reported.Pair) -> tuple[int, tuple[str, ...]]:
    why, points = [], 0
    for same, weight, words in (
        (row.same_site, 2, _("same site")),
        (row.same_kind, 2, _("same kind")),
        (row.same_service, 3, _("same service")),
    ):
        points += weight if same else -1 if same is False else 0
        why += [words] if same else []
    if row.days_apart is not None:
        points += 4 if row.days_apart == 0 else 1 if row.days_apart <= 7 else -2
        why += [_("same date")] if row.days_apart == 0 else [_("{days} days apart").format(days=row.days_apart)]
    return points, tuple(why)


@needs(Right.AMEND_PATIENT)
def confirm_reported(store: Store, reported_id: int, listed_id: int, *, agent: Agent, now: datetime) -> None:
    """Say that a reported postponement is the one on the list; what callers were told of it counts there from now on.

    Raises:
        RuleBroken: not a reported one, not of the same patient, or matched already.
    """
    with store.write() as connection:
        carried = reported.match(connection, reported_id, listed_id)
        if carried is None:
            raise RuleBroken(
                _("Postponement {one} cannot be matched to {other}: one must be reported by a caller, the other from a "
                  "list, both of the same patient, and not matched yet.").format(one=reported_id, other=listed_id)
            )  # fmt: skip
        journal.append(
            connection, agent=agent.login, action="postponement.matched", subject="postponement",
            subject_id=reported_id, detail={"matched_to_id": [None, listed_id], "carried": carried}, now=now,
        )  # fmt: skip
        callbacks.redate(connection, calls.callbacks_about(connection, [reported_id, listed_id]))


@needs(Right.AMEND_PATIENT)
def undo_reported(store: Store, reported_id: int, *, agent: Agent, now: datetime) -> None:
    """Take back `confirm_reported`: the reported postponement stands for itself again."""
    with store.write() as connection:
        before = reported.unmatch(connection, reported_id)
        if before is None:
            raise RuleBroken(_("Postponement {one} is matched to none.").format(one=reported_id))
        journal.append(
            connection, agent=agent.login, action="postponement.unmatched", subject="postponement",
            subject_id=reported_id, detail={"matched_to_id": [before, None]}, now=now,
        )  # fmt: skip
        callbacks.redate(connection, calls.callbacks_about(connection, [reported_id, before]))
