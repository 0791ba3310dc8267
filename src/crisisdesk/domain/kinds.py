"""What kind of service a list is about, and at which site: from the words of its name, title, sheet and header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from crisisdesk.domain.reference import Reference, Service
from crisisdesk.domain.text import fold, fold_words

_WORDS: Mapping[str, tuple[str, ...]] = {
    "day_hospital": ("hopital de jour", "hdj", "dagziekenhuis", "daghospitaal", "day hospital", "day clinic",
        "tagesklinik", "day case"),
    "lab": ("laboratoire", "labo", "laboratorium", "prise de sang", "prises de sang", "bloedafname", "labor",
        "blood test", "laboratory", "phlebotomy"),
    "surgery": (
        "bloc", "operatoire", "operatoires", "operation", "operations", "intervention", "interventions",
        "chirurgies", "bloc operatoire",
        "operatie", "operaties", "operatiekwartier", "ingreep", "ingrepen", "ok planning", "operatieplanning",
        "theatre", "theatres",
        "surgery", "surgeries", "op plan", "opplan", "eingriff", "eingriffe", "operationen", "op liste",
        "op programm", "quartier operatoire",
        "operating", "chirurgien", "chirurgienne", "chirurg", "surgeon", "operateur", "okplanning", "opprogramma",
        "surgical",
    ),
    "exam": (
        "imagerie", "radiologie", "radio", "examen", "examens", "onderzoek", "onderzoeken", "beeldvorming",
        "medische beeldvorming",
        "imaging", "radiology", "untersuchung", "untersuchungen", "scanner", "irm", "mri", "echographie",
        "echographies", "exam", "exams",
        "examination", "rontgen", "roentgen", "scintigraphie", "medecine nucleaire", "bildgebung", "rx",
        "mammographie", "endoscopie", "endoscopies",
        "scan", "scans", "tests",
    ),
    "consultation": (
        "consultation", "consultations", "consult", "consults", "polyclinique", "policlinique", "raadpleging",
        "raadplegingen", "polikliniek",
        "sprechstunde", "sprechstunden", "outpatient", "outpatients", "clinic", "rdv", "rendez vous",
        "appointments", "consultaties", "consultatie",
        "ambulanz", "poli", "konsultation", "konsultationen", "ambulatoire",
    ),
}  # fmt: skip
_WEAK = {"chirurgie": "surgery", "chirurgische": "surgery", "heelkunde": "surgery"}  # also names of consultations
_INDEX = {fold(word): kind for kind, words in _WORDS.items() for word in words}


@lru_cache(maxsize=4096)
def kinds_in(text: str) -> tuple[str, ...]:
    """Give the kinds of service that a text names, in the order found; several mean that it does not decide."""
    words = fold_words("".join(character if character.isalpha() else " " for character in text))
    found: dict[str, None] = {}
    for length in (3, 2, 1):
        for start in range(len(words) - length + 1):
            kind = _INDEX.get("".join(words[start : start + length]))
            if kind:
                found[kind] = None
    if "day_hospital" in found:
        return ("day_hospital",)
    return tuple(found) or tuple(_WEAK[word] for word in words if word in _WEAK)[:1]


def kind_of_text(text: str) -> str | None:
    """Give the one kind that a text names, or None where it names none or several."""
    found = kinds_in(text) if text else ()
    return found[0] if len(found) == 1 else None


def first_kind(texts: Iterable[str]) -> str | None:
    """Give the kind named by the first text that names exactly one."""
    return next((kind for kind in map(kind_of_text, texts) if kind), None)


def site_in(text: str, reference: Reference) -> str | None:
    """Give the site that a text names (name, hospital or alias), the longest name first; None where it names none."""
    words = fold_words("".join(character if character.isalnum() else " " for character in text))
    runs = {"".join(words[start:stop]) for start in range(len(words)) for stop in range(start + 1, start + 7)}
    names = _site_names(reference)
    found = [(len(name), site_id) for name, site_id in names.items() if name in runs]
    return max(found)[1] if found else None


def _site_names(reference: Reference) -> dict[str, str]:
    names: dict[str, str] = {}
    for site in reference.sites.values():
        for name in (site.site_id, site.name, site.hospital, *site.aliases):
            names.setdefault(fold(name), site.site_id)
    return names


def service_for(site_id: str | None, kind: str | None, name: str | None, reference: Reference) -> Service | None:
    """Give the service of a site that a row means: by name or alias, else the only one of its kind there."""
    if site_id is None:
        return None
    offered = [service for service in reference.services_of(site_id) if kind is None or service.kind == kind]
    named = _named(name or "", offered) or (_named(name or "", list(reference.services_of(site_id))) if name else None)
    if named:
        return named
    spoken_of = _spoken_of(name or "", offered)
    if len(spoken_of) == 1:
        return spoken_of[0]
    return offered[0] if len(offered) == 1 and kind else None


def service_hinted(site_id: str | None, kind: str | None, hints: Iterable[str], reference: Reference) -> Service | None:
    """Give the service of a site and kind whose name or alias stands in a title, a heading or a file name."""
    if site_id is None:
        return None
    offered = [service for service in reference.services_of(site_id) if kind is None or service.kind == kind]
    return next((found[0] for hint in hints if (found := _spoken_of(hint, offered))), None)


def service_in(site_id: str | None, kind: str | None, procedure: str | None, reference: Reference) -> Service | None:
    """Give the one service of a site and kind that a procedure speaks of ("RX thorax"); None for none or several."""
    if site_id is None or kind is None or not procedure:
        return None
    offered = [service for service in reference.services_of(site_id) if service.kind == kind]
    found = _spoken_of(procedure, offered)
    return found[0] if len(found) == 1 else None


def _spoken_of(text: str, offered: list[Service]) -> list[Service]:
    """The services whose name or alias stands in a text as whole words."""
    words = fold_words("".join(character if character.isalpha() else " " for character in text))
    runs = {"".join(words[start:stop]) for start in range(len(words)) for stop in range(start + 1, start + 5)}
    return [
        service for service in offered if runs & {fold(name) for name in (service.code, service.name, *service.aliases)}
    ]


def _named(name: str, offered: list[Service]) -> Service | None:
    key = fold(name)
    if not key:
        return None
    for service in offered:
        if key in {fold(text) for text in (service.code, service.name, *service.aliases)}:
            return service
    for service in offered:
        keys = [fold(text) for text in (service.name, *service.aliases)]
        if len(key) >= 4 and any(
            other.startswith(key) or (len(other) >= 4 and key.startswith(other)) for other in keys
        ):
            return service
    return None
