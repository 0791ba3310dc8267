"""The search finds every patient by any of his keys, typed whole or in part, right or nearly so."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.desk.intake import ItemSaid, RecordedCall
from crisisdesk.desk.linking import Matches, MatchQuery, find_matches, why_not_now, words_for
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Coverage
from crisisdesk.store.engine import Store

NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)
People = Callable[..., int]


@pytest.fixture
def find(store: Store, reference: Reference) -> Callable[..., Matches]:
    return lambda **typed: find_matches(store, MatchQuery(**typed), now=NOW, reference=reference)


@pytest.fixture
def crowd(add_person: People) -> dict[str, int]:
    people: tuple[tuple[str, str, date, dict[str, Any]], ...] = (
        ("Dupont", "Marie", date(1958, 3, 12), {"phones": ("+3263231111",), "niss": "85073003328"}),
        ("Dupont", "Luc", date(1955, 1, 2), {"phones": ("+3263231111",)}),
        ("Lefebvre", "Anne", date(1971, 11, 30), {"phones": ("+32470123456",)}),
        ("D'Hondt", "Jan", date(1980, 6, 1), {}),
        ("Van den Bossche", "Griet", date(1990, 2, 3), {"phones": ("+31612345678",)}),
        ("Tchaikovski", "Piotr", date(1940, 5, 7), {}),
        ("de Sainte-Marie", "Anne-Sophie", date(1966, 7, 8), {}),
        ("Yılmaz", "Ayşe", date(1999, 9, 9), {}),
    )
    return {f"{last} {first}": add_person(last, first, born, **more) for last, first, born, more in people}


@pytest.mark.parametrize(
    ("typed", "who"),
    [
        ({"last_name": "Dup", "first_name": "mar"}, "Dupont Marie"),
        ({"last_name": "Marie", "first_name": "Dupont"}, "Dupont Marie"),
        ({"birth": "12/3/58"}, "Dupont Marie"),
        ({"last_name": "Dupont", "birth": "03/12/1958"}, "Dupont Marie"),
        ({"last_name": "Dupont", "birth": "21/03/1958"}, "Dupont Marie"),
        ({"niss": "850730"}, "Dupont Marie"),
        ({"niss": "85.07.30-033.28"}, "Dupont Marie"),
        ({"phone": "0470/12.34.56"}, "Lefebvre Anne"),
        ({"phone": "3456"}, "Lefebvre Anne"),
        ({"phone": "047012"}, "Lefebvre Anne"),
        ({"phone": "+31 6 12345678"}, "Van den Bossche Griet"),
        ({"last_name": "Lefevre"}, "Lefebvre Anne"),
        ({"last_name": "LEFÈBVRE"}, "Lefebvre Anne"),
        ({"last_name": "Dhont"}, "D'Hondt Jan"),
        ({"last_name": "vandenbosch"}, "Van den Bossche Griet"),
        ({"last_name": "Bossche"}, "Van den Bossche Griet"),
        ({"last_name": "Czajkowski"}, "Tchaikovski Piotr"),
        ({"last_name": "saintemarie"}, "de Sainte-Marie Anne-Sophie"),
        ({"first_name": "Anne-Sophie"}, "de Sainte-Marie Anne-Sophie"),
        ({"last_name": "yilmaz", "first_name": "ayse"}, "Yılmaz Ayşe"),
        ({"text": "griet van den bossche"}, "Van den Bossche Griet"),
        ({"text": "1966 sainte-marie"}, "de Sainte-Marie Anne-Sophie"),
        ({"text": "marie 12/03/1958"}, "Dupont Marie"),
    ],
)
def test_who_is_first(find: Callable[..., Matches], crowd: dict[str, int], typed: dict[str, str], who: str) -> None:
    found = find(**typed)
    assert found.matches, typed
    assert found.matches[0].patient_id == crowd[who]
    assert words_for(found.matches[0])


def test_a_family_on_one_number_stands_apart(find: Callable[..., Matches], crowd: dict[str, int]) -> None:
    both = find(phone="063231111")
    assert {match.first_name for match in both.matches} == {"Marie", "Luc"}
    one = find(phone="063231111", last_name="Dupont", first_name="Marie", birth="12/03/1958")
    assert one.matches[0].first_name == "Marie"
    other = find(phone="063231111", last_name="Lambert")
    assert other.matches == ()
    assert {match.first_name for match in other.on_this_number} == {"Marie", "Luc"}


def test_a_match_tells_items_callbacks_last_call_and_repeats(
    find: Callable[..., Matches], add_person: People, record: Callable[..., RecordedCall], reference: Reference
) -> None:
    item = {
        "site_id": "arlon",
        "kind": "surgery",
        "service_name": "Bloc",
        "original_on": date(2022, 5, 17),
        "priority": "P3",
    }
    patient = add_person("Dupont", "Marie", phones=("+3263231111",), items=(item,))
    record("callback", patient_ids=(patient,), items=(ItemSaid(1),), phone="063231111", topic="rebook")
    record("callback_at", patient_ids=(patient,), items=(ItemSaid(1),), phone="063231111", wish="demain matin")
    found = find(last_name="Dupont", phone="063 23 11 11")
    (match,) = found.matches
    assert [(line.priority, line.coverage) for line in match.items] == [("P3", Coverage.REACHED)]
    assert match.last_call
    assert match.last_call.disposition == "callback_at"
    assert match.last_call.taken_by == "Amélie"
    assert why_not_now(match.callbacks[0], now=NOW, zone="Europe/Brussels").endswith("01/06 08:00")
    assert len(found.earlier_calls) == 2
    assert found.calls_last_day == 2


def test_a_call_is_found_by_its_reference(find: Callable[..., Matches], record: Callable[..., RecordedCall]) -> None:
    saved = record("informed", last_name="Klein", first_name="Léa")
    assert find(text=saved.reference).matches[0].last_name == "Klein"
    assert saved.reference in find(text=f"{saved.number}{'A' if saved.reference[-1] != 'A' else 'C'}").reference_near


names = st.text(st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F), min_size=3, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(last=names, first=names, born=st.dates(date(1920, 1, 1), date(2022, 1, 1)), digits=st.integers(0, 999_999))
def test_everybody_is_found_by_any_key(
    find: Callable[..., Matches], add_person: People, last: str, first: str, born: date, digits: int
) -> None:
    number = f"+32470{digits:06d}"
    patient = add_person(last, first, born, phones=(number,))
    day = f"{born:%d/%m/%Y}"
    for typed in (
        {"last_name": last, "first_name": first},
        {"last_name": first, "first_name": last, "birth": day},
        {"last_name": last[:3], "birth": day},
        {"phone": "0" + number[3:], "birth": day},
        {"text": f"{first} {last} {day}"},
    ):
        assert patient in {match.patient_id for match in find(**typed).matches}, typed


@pytest.mark.parametrize(
    "text", ["", " ", "%", "'", '"', "\x00", "a" * 5000, "[red]", "0", "999999999999999999999999", "~xkfsk", "1/1/1"]
)
def test_odd_texts_find_nobody_and_break_nothing(
    find: Callable[..., Matches], crowd: dict[str, int], text: str
) -> None:
    for field in ("text", "last_name", "phone", "birth", "niss", "first_name"):
        find(**{field: text})
