"""A desk that lives through two weeks of an invented crisis, made from the lists and calls that ship with the program.

Everything goes through the functions that a real desk uses, at the hours of the story, so that the demo shows what the
program does and nothing else.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crisisdesk.desk.agents import Agent, add_agent, identify
from crisisdesk.desk.callform import CallForm, ItemSaid
from crisisdesk.desk.intake import record_call
from crisisdesk.desk.linking import MatchQuery, PatientMatch, find_matches
from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.desk.reopening import OpeningForm, list_services
from crisisdesk.domain.matches import Reason
from crisisdesk.domain.words import Role, ServiceKind

if TYPE_CHECKING:
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Store

OPENED = datetime(2022, 5, 17, 6, 0, tzinfo=UTC)
"""The desk opens: three days after the attack."""
TODAY = datetime(2022, 5, 31, 6, 45, tzinfo=UTC)
"""The story's present: the day on which the theatre of Arlon works again."""
SUPERVISOR, COLLEAGUE, ADMIN = "amélie", "luc", "admin"
SITE = "arlon"
# When each list was handed over; the second one of Arlon is a later version of the first.
LISTS = (
    (datetime(2022, 5, 20, 7, 0, tzinfo=UTC), "arlon_bloc_20mai.csv"),
    (datetime(2022, 5, 20, 9, 30, tzinfo=UTC), "libramont_consultations.csv"),
    (datetime(2022, 5, 20, 13, 0, tzinfo=UTC), "marche_planning.xlsx"),
    (datetime(2022, 5, 21, 8, 0, tzinfo=UTC), "bastogne_beeldvorming.txt"),
    (datetime(2022, 5, 23, 7, 0, tzinfo=UTC), "arlon_bloc_23mai.csv"),
)
Tell = Callable[[str], None]


def samples_folder() -> Path:
    """The lists and calls that ship with the program."""
    return data_folder() / "samples"


def found_demo(path: Path, *, now: datetime) -> None:
    """Make the empty demo desk, whose clock says `TODAY` at the real instant ``now``, with its agents.

    Raises:
        RuleBroken: there is a file already.
    """
    from crisisdesk.store.engine import open_desk

    init_desk(path, data_folder(), admin_login=ADMIN, now=OPENED, demo_shift=TODAY - now)
    store = open_desk(path)
    try:
        admin = identify(store, ADMIN)
        add_agent(store, login=SUPERVISOR, name="Amélie Gérard", role=Role.SUPERVISOR, agent=admin, now=OPENED)
        add_agent(store, login=COLLEAGUE, name="Luc Wagner", role=Role.AGENT, agent=admin, now=OPENED)
    finally:
        store.close()


def live_through(store: "Store", take_list: Callable[[Path, datetime], None]) -> int:
    """Take the calls and the lists of the two weeks, in the order in which they came; gives the number of calls.

    Args:
        take_list: imports one list as of an instant.
    """
    reference = load_reference(store)
    agents = (identify(store, SUPERVISOR), identify(store, COLLEAGUE))
    waiting = list(LISTS)
    count = 0
    for count, form in enumerate(sample_calls(), start=1):
        while waiting and waiting[0][0] <= form.started_at:
            at, name = waiting.pop(0)
            take_list(samples_folder() / name, at)
        entered_at = (form.ended_at or form.started_at) + timedelta(seconds=20)
        linked = link(store, form, entered_at, reference)
        record_call(store, linked, agent=agents[count % 2], now=entered_at, reference=reference)
    for at, name in waiting:
        take_list(samples_folder() / name, at)
    return count


def sample_calls() -> Iterator[CallForm]:
    """The calls that ship, in order of time."""
    for line in (samples_folder() / "calls.jsonl").read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        for name in ("started_at", "ended_at"):
            fields[name] = datetime.fromisoformat(fields[name])
        yield CallForm(**fields)


def link(store: "Store", form: CallForm, now: datetime, reference: "Reference") -> CallForm:
    """The form with the patient that an agent would tick without a doubt, and the postponements at the call's site."""
    if not form.last_name:
        return form
    query = MatchQuery(phone=form.phone, last_name=form.last_name, first_name=form.first_name, birth=form.birth)
    found = [match for match in find_matches(store, query, now=now, reference=reference).matches if is_sure(match)]
    if len(found) != 1:
        return form
    items = tuple(ItemSaid(item.postponement_id) for item in found[0].items if item.site_id == form.site_id)
    return replace(form, patient_ids=(found[0].patient_id,), items=items)


def is_sure(match: PatientMatch) -> bool:
    """Name and first name, with the birth date or the number, and nothing against it."""
    reasons = set(match.reasons)
    against = any(reason.is_against for reason in reasons)
    return not against and reasons >= {Reason.NAME, Reason.FIRST} and bool(reasons & {Reason.BIRTH, Reason.PHONE})


def planned_opening(store: "Store", *, now: datetime) -> OpeningForm:
    """The opening of the theatre of Arlon as it was planned, ready to be confirmed."""
    reference = load_reference(store)
    theatre = next(s for s in reference.services_of(SITE) if s.kind is ServiceKind.SURGERY)
    line = next(line for line in list_services(store, SITE, now=now) if line.service_id == theatre.service_id)
    assert line.planned is not None, "data/openings.toml plans it"
    return OpeningForm.of(line.planned, seen_id=line.newest_id)


def supervisor(store: "Store") -> Agent:
    """Who plays the demo."""
    return identify(store, SUPERVISOR)
