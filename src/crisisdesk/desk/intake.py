"""An inbound call, stored whole or not at all."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.callbooking import book_new_dates, pass_places_on
from crisisdesk.desk.callcheck import CheckedCall, FormRefused, check_form
from crisisdesk.desk.callform import CallForm, ItemSaid, Mistake, RecordedCall, ReportedItem
from crisisdesk.desk.reference import load_reference
from crisisdesk.desk.rights import needs
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean, fold
from crisisdesk.domain.words import NextStep, Reach, Scope, Strength, Voicemail, WorkState
from crisisdesk.i18n import _
from crisisdesk.store import agents, callbacks, calls, cards, deaths, journal, likenesses, patients, reported, sessions
from crisisdesk.store.calls import StoredCall
from crisisdesk.store.engine import Connection, Store
from crisisdesk.store.items import mark_items

__all__ = ["CallForm", "FormRefused", "ItemSaid", "Mistake", "RecordedCall", "ReportedItem", "record_call"]


@needs(Right.TAKE_CALLS)
def record_call(
    store: Store, form: CallForm, *, agent: Agent, now: datetime, reference: Reference | None = None
) -> RecordedCall:
    """Store one call with all that it changes, in one transaction; the draft of the same form goes with it.

    A form that was stored before (same ``uid``) changes nothing and gives the first call back.

    Args:
        reference: the desk's reference data, when the caller has it; read otherwise.

    Raises:
        FormRefused: what must be mended first, every mistake with its field.
        RuleBroken: the agent is an auditor.
        LeaseLost: a callback to be settled is being rung by another agent.
        StoreUnavailable: nothing was written.
    """
    reference = reference or load_reference(store)
    with store.read() as connection:
        known = calls.find_by_uid(connection, form.uid)
        if known is None:
            checked = check_form(connection, form, reference, now=now)
            taken_by = _taken_by(connection, checked, agent)
    if known is not None:
        return _repeated(store, known, form.uid)
    with store.write() as connection:
        known = calls.find_by_uid(connection, form.uid)
        if known is None:
            return _Recording(connection, checked, reference, agent, taken_by, now).run()
    return _repeated(store, known, form.uid)


def _repeated(store: Store, known: StoredCall, uid: str) -> RecordedCall:
    with store.write() as connection:
        calls.drop_draft(connection, uid)
    return RecordedCall(known.call_id, known.number, known.reference, known.entered_at, is_repeat=True)


def _taken_by(connection: Connection, checked: CheckedCall, agent: Agent) -> tuple[int | None, str]:
    """Id and name of who took the call; a name that is no login is kept as a name."""
    said = checked.texts["taken_by"]
    slip = checked.texts["slip_number"]
    if slip and (earlier := calls.slip_entered_as(connection, slip)):
        checked.warnings.append(
            _("Slip {slip} was entered before, as {reference}.").format(slip=slip, reference=earlier)
        )
    if not said:
        return agent.agent_id, ""
    row = agents.find_agent(connection, said)
    return (int(row["id"]), "") if row else (None, said)


class _Recording:
    """One call on its way into the store."""

    def __init__(
        self,
        connection: Connection,
        checked: CheckedCall,
        reference: Reference,
        agent: Agent,
        taken_by: tuple[int | None, str],
        now: datetime,
    ) -> None:
        self.connection, self.checked, self.reference = connection, checked, reference
        self.agent, self.taken_by, self.now = agent, taken_by, now
        self.form, self.ending, self.texts = checked.form, checked.ending, checked.texts
        self.patient_ids = checked.patient_ids
        self.provisional_id: int | None = None
        self.proof = ""
        self.callbacks: dict[int, str] = {}
        self.items: dict[int, str | None] = dict(checked.items)
        self.item_sites: dict[int, str | None] = dict(checked.item_sites)
        self.item_patients: dict[int, int] = dict(checked.item_patients)

    def run(self) -> RecordedCall:
        """Write everything; the caller's transaction commits it."""
        agents.mark_seen(self.connection, self.agent.agent_id, self.now)
        sessions.enter(self.connection, self.agent.agent_id, WorkState.READY, self.now)
        self._meet_patients()
        call = calls.add_call(self.connection, self._call_row())
        self._keep_reported(call)
        calls.link(self.connection, call.call_id, self.patient_ids, self.items)
        self._tell(call)
        self._settle_items(call)
        self._hold(call)
        if self.ending.next_step == NextStep.CONFIRM:
            self._report_death(call)
        calls.drop_draft(self.connection, self.form.uid)
        return RecordedCall(
            call.call_id,
            call.number,
            call.reference,
            self.now,
            patient_ids=self.patient_ids,
            provisional_id=self.provisional_id,
            callbacks=self.callbacks,
            proof=self.proof,
            warnings=tuple(self.checked.warnings),
            birth_on=self.checked.birth_on,
        )

    # ------------------------------------------------------------ people

    def _meet_patients(self) -> None:
        checked = self.checked
        is_wanted = (checked.has_person or self.ending.makes_callback) and not self.ending.is_quick
        if not self.patient_ids and (is_wanted or self.form.reported):
            self._add_provisional()
        kind = self.reference.caller_kinds.get(self.form.caller_kind)
        speaks_for_patient = kind is None or kind.is_patient or kind.asks_relation
        for patient_id in self.patient_ids if speaks_for_patient else ():
            self._know_caller(patient_id, is_patient=kind is not None and kind.is_patient)
        if speaks_for_patient and len(self.patient_ids) == 1 and not self.ending.is_quick:
            self._agree_words(self.patient_ids[0])
        if self.form.voicemail:
            for patient_id in self.patient_ids:
                self._change(patient_id, {"voicemail": Voicemail(self.form.voicemail).value})

    def _agree_words(self, patient_id: int) -> None:
        """Somebody of a list rings for the first time: words are agreed, so that the desk can prove itself later."""
        if self.proof or cards.patient_row(self.connection, patient_id).proof:
            return
        self.proof = self._proof_words()
        if patients.set_fields(self.connection, patient_id, {"proof": self.proof}):
            self._journal("patient.changed", patient_id, {"proof": [None, "agreed"]})  # the words stay between the two

    def _add_provisional(self) -> None:
        """Somebody who stands on no list yet; matched when one comes, by a person."""
        texts, checked = self.texts, self.checked
        kind = self.reference.caller_kinds.get(self.form.caller_kind)
        who = patients.PatientIdentity(
            last_name=texts["last_name"],
            first_name=texts["first_name"],
            full_name="" if texts["last_name"] or (kind and not kind.is_patient) else texts["caller_name"],
            birth_on=checked.birth_on,
            niss=checked.niss,
            language=self.form.language if kind and kind.is_patient else "",
        )
        self.proof = self._proof_words()
        number = patients.add_patient(self.connection, who, now=self.now, is_provisional=True, proof=self.proof)
        self.provisional_id, self.patient_ids = number, (number,)
        self._journal(
            "patient.added",
            number,
            {
                "is_provisional": True,
                "name": [None, f"{who.last_name} {who.first_name}"],
                "birth_on": [None, who.birth_on],
                "niss": [None, who.niss],
            },
        )
        self._look_back(number)

    def _look_back(self, patient_id: int) -> None:
        """A repeat caller whom nobody linked: the two records are proposed as one person."""
        caller = self.checked.number
        earlier = patients.earlier_provisional(self.connection, patient_id, caller) if caller else None
        if earlier is None:
            return
        proposal = {"patient_id": earlier, "other_id": patient_id, "strength": Strength.FAIR.value,
                    "why": "number + name", "proposed_at": self.now}  # fmt: skip
        likenesses.propose(self.connection, [proposal])
        words = _("Patient {one} may be patient {other} of an earlier call: merge them in the file of one.")
        self.checked.warnings.append(words.format(one=patient_id, other=earlier))

    def _know_caller(self, patient_id: int, *, is_patient: bool) -> None:
        """Keep the number somebody rings from, with whose it is."""
        numbers = [self.checked.number] if self.checked.number else []
        wish = self.checked.wish
        if wish and wish.number and wish.number not in numbers:
            numbers.append(wish.number)
        comment = "" if is_patient else self.texts["relation"] or self.texts["caller_name"]
        added = patients.add_phones(
            self.connection,
            patient_id,
            numbers,
            now=self.now,
            comment=comment,
            is_guessed=self.checked.is_number_guessed,
        )
        if added:
            self._journal("patient.phone_added", patient_id, {"numbers": [None, list(added)], "comment": comment})

    def _proof_words(self) -> str:
        """Two words for the caller to say next time, in his language; empty where the desk has no list of them."""
        languages = (self.form.language, *self.reference.desk.languages)
        for language in languages:
            words = [text for (kind, _code, lang), text in self.reference.labels.items()
                     if kind == "proof_word" and lang == language]  # fmt: skip
            if len(words) > 1:
                first = secrets.choice(words)
                return f"{first} {secrets.choice([word for word in words if word != first])}"
        return ""

    def _change(self, patient_id: int, values: dict[str, object]) -> None:
        changed = patients.set_fields(self.connection, patient_id, values)
        if changed:
            self._journal("patient.changed", patient_id, changed)

    # ------------------------------------------------------------ the call

    def _call_row(self) -> dict[str, Any]:
        form, texts, checked = self.form, self.texts, self.checked
        taken_by, taken_by_name = self.taken_by
        flag = self.reference.red_flags.get(form.red_flag)
        return {
            "uid": texts["uid"],
            "started_at": checked.started_at,
            "ended_at": checked.ended_at,
            "entered_at": self.now,
            "taken_by": taken_by,
            "taken_by_name": taken_by_name,
            "entered_by": self.agent.agent_id,
            "slip_number": texts["slip_number"],
            "caller_phone": checked.number,
            "caller_phone_said": texts["phone"],
            "is_withheld": form.is_withheld,
            "caller_name": texts["caller_name"],
            "caller_kind": form.caller_kind or None,
            "relation": texts["relation"],
            "language": form.language,
            "site_id": form.site_id or None,
            "topic": form.topic or None,
            "words": texts["words"],
            "note": texts["note"],
            "red_flag": form.red_flag or None,
            "way_out": flag.way_out.value if flag else "",
            "instruction_id": form.instruction_id,
            "was_read_out": form.was_read_out,
            "disposition": form.disposition,
            "wish": checked.wish.as_detail() if checked.wish else {},
            "reversed_phone": "".join(filter(str.isdigit, checked.number or ""))[::-1],
        }

    def _tell(self, call: StoredCall) -> None:
        """The call's own entry in the journal: who, what, how it ended; not every word, which the call itself keeps."""
        form = self.form
        detail = {
            "reference": call.reference, "disposition": form.disposition, "topic": form.topic, "site": form.site_id,
            "caller_kind": form.caller_kind, "patients": list(self.patient_ids), "items": self.items,
            "red_flag": form.red_flag, "instruction": form.instruction_id if form.was_read_out else None,
            "taken_by": self.taken_by[0] or self.taken_by[1], "slip": self.texts["slip_number"],
            "niss_said": self.texts["niss"] if self.texts["niss"] and not self.checked.niss else "",
        }  # fmt: skip
        self._journal("call.recorded", call.call_id, {key: value for key, value in detail.items() if value}, "call")

    def _keep_reported(self, call: StoredCall) -> None:
        """What the caller says of an appointment, until a list says the same."""
        for said, day in zip(self.form.reported, self.checked.said_on, strict=True):
            patient_id = said.patient_id if said.patient_id in self.patient_ids else self.patient_ids[0]
            number = reported.add(self.connection, self._reported_row(said, patient_id, call) | {"original_on": day})
            self.items[number], self.item_patients[number] = None, patient_id
            self.item_sites[number] = said.site_id or self.form.site_id or None

    def _reported_row(self, said: ReportedItem, patient_id: int, call: StoredCall) -> dict[str, Any]:
        site_id = said.site_id or self.form.site_id or None
        service = find_service(self.reference, site_id, said.kind, said.service)
        kind = said.kind or (service.kind.value if service else "")
        return {
            "patient_id": patient_id, "site_id": site_id, "service_id": service.service_id if service else None,
            "service_name": clean(said.service).text or (service.name if service else ""), "kind": kind or None,
            "clinician": clean(said.clinician).text, "remark": clean(said.said_on).text, "source": "caller",
            "is_protected": bool(service and service.is_protected), "reported_in_call_id": call.call_id,
            "created_at": self.now,
        }  # fmt: skip

    # ------------------------------------------------------------ what it changes

    def _settle_items(self, call: StoredCall) -> None:
        """What was said of each postponement; callbacks that lost their last reason are settled with it."""
        by_code: dict[tuple[str, str], list[int]] = {}
        for number, code in self.items.items():
            key = (Scope.ITEM.value, code) if code else (Scope.INBOUND.value, self.form.disposition)
            by_code.setdefault(key, []).append(number)
        for (scope, code), ids in by_code.items():
            ending = self.reference.dispositions[Scope(scope), code]
            if ending.coverage or ending.reach == Reach.PATIENT:  # else it proves nothing
                mark_items(self.connection, ids, code, scope=scope, by=self.agent.login, now=self.now)
        book_new_dates(
            self.connection, self.checked.new_dates, call_id=call.call_id, reference=self.reference, agent=self.agent,
            now=self.now,
        )  # fmt: skip
        for callback_id in self.form.settled:
            callbacks.settle(
                self.connection, callback_id, self.form.disposition, self.agent.agent_id, self.now, call.call_id
            )
        held = calls.callbacks_about(self.connection, self.items)
        if held and (any(self.checked.items.values()) or self.checked.new_dates or self.ending.coverage):
            self._end_settled(held)
        pass_places_on(self.connection, [*self.form.settled, *held], self.reference, self.agent, self.now)

    def _end_settled(self, held: Sequence[int]) -> None:
        """Callbacks that lost their last reason in this call end with it, unless it promises to ring back."""
        if self.ending.makes_callback:
            callbacks.redate(self.connection, held)
            return
        code, agent_id = self.form.disposition, self.agent.agent_id
        for number in callbacks.close_settled(self.connection, held, code, agent_id, self.now):
            self._journal("callback.settled", number, {"state": ["waiting", "closed"], "disposition": code}, "callback")

    def _hold(self, call: StoredCall) -> None:
        """The promise to ring back, one for each patient and site concerned."""
        if not self.ending.makes_callback:
            return
        step = self.ending.next_step
        for patient_id in self.patient_ids:
            for site_id, ids in self._by_site(patient_id).items():
                number = callbacks.hold(
                    self.connection, patient_id=patient_id, site_id=site_id, postponement_ids=ids,
                    wish=self.checked.wish, released=step in {NextStep.AT_TIME, NextStep.REVIEW},
                    call_id=call.call_id, agent_id=self.agent.agent_id, now=self.now,
                    hold_for="review" if step == NextStep.REVIEW else "", is_escalated=step == NextStep.ESCALATE,
                    for_agent_id=self._promiser(),
                )  # fmt: skip
                self.callbacks[number] = site_id
        if not self.callbacks:
            self.checked.warnings.append(_("No callback was made: the site is not known. Pass it on by word of mouth."))

    def _promiser(self) -> int | None:
        """Who promised to ring back in person: whoever took the call, where that is an agent of this desk."""
        return self.taken_by[0] if self.form.in_person and self.ending.next_step == NextStep.AT_TIME else None

    def _by_site(self, patient_id: int) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, owner in self.item_patients.items():
            site_id = self.item_sites[number] or self.form.site_id
            if owner == patient_id and site_id:
                found.setdefault(site_id, []).append(number)
        if not found and self.form.site_id:
            found[self.form.site_id] = []
        return found

    def _report_death(self, call: StoredCall) -> None:
        patient_id = self.checked.deceased_id or self.provisional_id
        if patient_id is not None:
            deaths.report(
                self.connection, patient_id, agent_id=self.agent.agent_id, login=self.agent.login,
                call_id=call.call_id, now=self.now,
            )  # fmt: skip

    def _journal(self, action: str, number: int, detail: Mapping[str, Any], subject: str = "patient") -> None:
        journal.append(
            self.connection, agent=self.agent.login, action=action, subject=subject, subject_id=number,
            detail=detail, now=self.now, happened_at=self.checked.started_at,
        )  # fmt: skip


def find_service(reference: Reference, site_id: str | None, kind: str, said: str) -> Any:
    """The desk's service that a caller means: by name or alias, else the only one of its kind at the site; or None."""
    offered = [service for service in reference.services.values() if service.site_id == site_id]
    wanted = fold(said)
    for service in offered:
        if wanted and wanted in {fold(name) for name in (service.name, service.code, *service.aliases)}:
            return service
    of_kind = [service for service in offered if service.kind.value == kind]
    return of_kind[0] if len(of_kind) == 1 else None
