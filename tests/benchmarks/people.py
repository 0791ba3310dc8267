"""Invented people for the benchmarks of the search and of the call: names of the region, one or two numbers each."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.domain.namekeys import name_keys, words_of
from crisisdesk.domain.phone import suffix_key
from crisisdesk.store import tables
from crisisdesk.store.engine import Store, open_desk

NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)
_HEADS = [
    "Du",
    "Le",
    "La",
    "De",
    "Van",
    "Ver",
    "Bou",
    "Mar",
    "Ger",
    "Lam",
    "Col",
    "Ren",
    "Per",
    "Sim",
    "Jac",
    "Thi",
    "Cla",
    "Hen",
    "Wil",
    "Sch",
    "Mul",
    "Bern",
    "Guil",
    "Fran",
    "Nic",
    "Ghis",
]
_TAILS = [
    "pont",
    "bois",
    "fevre",
    "croix",
    "mans",
    "bert",
    "quet",
    "gnon",
    "tin",
    "ssart",
    "noir",
    "haut",
    "ville",
    "mont",
    "court",
    "lain",
    "son",
    "sen",
    "ski",
    "ric",
    "chard",
]
_FIRST = [
    "Marie",
    "Jean",
    "Anne",
    "Luc",
    "Paul",
    "Julie",
    "Pierre",
    "Claire",
    "Ahmed",
    "Sophie",
    "Louis",
    "Emma",
    "Hugo",
    "Nathalie",
    "Eric",
    "Benoît",
    "Cécile",
    "Maxime",
    "Chloé",
    "Vincent",
    "Rita",
    "Jacqueline",
    "Georges",
    "Arlette",
    "Fatima",
    "Youssef",
    "Inès",
    "Tom",
    "Léa",
    "Noé",
]


def make_desk(path: Path, patients: int, seed: int = 7) -> Store:
    """A desk with so many patients, each with a number and one postponement."""
    init_desk(path, data_folder(), admin_login="bench", now=NOW)
    store = open_desk(path)
    chance = random.Random(seed)
    names = [head + middle + tail for head in _HEADS for middle in ("", "a", "er", "i") for tail in _TAILS]
    for start in range(0, patients, 5000):
        _add(store, range(start + 1, min(start + 5000, patients) + 1), names, chance)
    return store


def _add(store: Store, ids: range, names: list[str], chance: random.Random) -> None:
    people, words, phones, items = [], [], [], []
    for number in ids:
        last = names[int(len(names) * chance.random() ** 2)]  # some names are common
        first = chance.choice(_FIRST)
        name_key, first_key = name_keys(last, first)
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(33000))
        people.append(
            {
                "id": number,
                "last_name": last,
                "first_name": first,
                "name_key": name_key,
                "first_key": first_key,
                "birth_on": born,
                "niss": f"{born:%y%m%d}{number % 100000:05d}",
                "created_at": NOW,
            }
        )
        words += [{"patient_id": number, "word": word} for word in words_of(last, first)]
        phone = f"+324{chance.randrange(70, 99)}{chance.randrange(1_000_000):06d}"
        phones.append({"patient_id": number, "number": phone, "reversed": suffix_key(phone), "added_at": NOW})
        items.append({"patient_id": number, "site_id": "arlon", "kind": "surgery", "service_name": "Bloc",
                      "original_on": date(2022, 5, 20), "source": "list", "created_at": NOW})  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(tables.patient), people)
        connection.execute(insert(tables.patient_word).prefix_with("OR IGNORE"), words)
        connection.execute(insert(tables.phone), phones)
        connection.execute(insert(tables.postponement), items)
