"""Headers of several words: the head word decides, not the longest word that happens to be known.

"Date d'opération" is a date, "Naam arts" a doctor, "Patient - nom" a family name, "Date annulation" none of our dates.
Grammar of headers rather than data: the single names themselves are in the desk's reference data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SETS = {
    "date": "date datum dat dt jour dag tag day dates",
    "time": (
        "heure heures hre h hr uur uren tijd time zeit uhrzeit tijdstip beginuur hour horaire begintijd "
        "startuur aanvangsuur"
    ),
    "birth": (
        "naissance naiss nais ne nee naissce geboorte geboren geburt geburts birth born ddn dob geb gebdatum "
        "gebdat naissances"
    ),
    "other": (
        "creation creat cree modif modification modifie annulation annule deces inschrijving inschrijf "
        "aanvraag added referred referral demande "
        "encodage inscription reporte ancien ancienne vorige oude alt altes alte alter previous old new "
        "nouvelle nouveau nieuwe neue neues neuer "
        "printed impression appel rappel entered requested request prescription admission sortie entree "
        "envoi reception update updated created "
        "made changed cancelled canceled wijziging annulering overlijden opname ontslag erstellt erstellung "
        "geandert angefragt anfrage tod todes "
        "sterbe aufnahme entlassung anforderung uberweisung eintrag precedente precedent death died list "
        "liste lijst preop preoperatoire aanmaak "
        "derniere last laatste letzte arret report verwijzing voorschrift verordnung invoer registratie "
        "registration rapport facture "
        "saisie courrier annulatie anmeldung decision prise charge"
    ),
    "phone": (
        "tel telephone telephones telefoon telefon gsm phone phones mobile mobiel mobil handy portable cell "
        "rufnummer tph telnr"
    ),
    "patient": "patient patiente patients patientin patienten pat beneficiaire client",
    "last": "nom naam name surname nachname familienaam achternaam lastname familienname family last noms patronyme",
    "first": "prenom prenoms voornaam voornamen vorname vornamen forename forenames firstname first given pren",
    "doctor": (
        "medecin docteur arts arzt dr chirurgien chirurg doctor surgeon physician consultant operateur "
        "praticien specialiste geneesheer "
        "clinician radiologue artsen behandelaar behandler operator dokter medecins chir med uitvoerder"
    ),
    "gp": "traitant generaliste huisarts hausarzt gp referent",
    "number": "n no nr num numero nummer number id ref code nb",
    "record": (
        "ipp admission dossier akte unit hospital mrn sejour fall opname file record chart administratif iep "
        "nip ead case episode"
    ),
    "national": (
        "niss national nationale registre rijksregister insz nationalregister securite ssn nationaal sv "
        "sozialversicherung inss rrn nrn"
    ),
    "act": (
        "intervention operation op interv ingreep eingriff eingriffs procedure acte examen onderzoek "
        "untersuchung operatie prestation "
        "verrichting exam surgery behandlung motif geste"
    ),
    "visit": (
        "rdv rv rendez termin afspraak appointment appt slot consultation raadpleging sprechstunde theatre "
        "clinic visite planning"
    ),
    "end": "fin eind einde ende end sortie stop",
    "span": "leeftijd age alter lebensalter duree duur dauer duration longueur",
    "sort": "type art soort nature aard libelle kind",
    "room": "salle zaal saal kamer raum zimmer room theatre lokaal local",
}  # fmt: skip
WORDS = {word: group for group, words in reversed(_SETS.items()) for word in words.split()}
GROUPS = {group: frozenset(words.split()) for group, words in _SETS.items()}
_SMALL = frozenset([
        "d", "l", "de", "du", "des", "la", "le", "les", "of", "the", "van", "het", "der", "die", "das", "den", "a",
        "au", "et", "und", "en", "and", "on", "op",
    ]) - {"op"}  # fmt: skip
_COMPOUND = re.compile(
    r"([a-z]{2,})(datum|termin|tag|uhrzeit|zeit|uur|tijd|nummer|nr|name|naam|arzt|arts|saal|zaal|kamer|raum|zimmer|art|dauer|duur)"
)


def parts_of(words: Sequence[str]) -> list[str]:
    """Give the words of a header with German and Dutch compounds taken apart ("operationstermin": operations,
    termin).
    """
    parts: list[str] = []
    for word in words:
        match = _COMPOUND.fullmatch(word) if word not in WORDS else None
        parts += [match[1].removesuffix("s"), match[2]] if match else [word]
    return parts


def field_by_head(words: Sequence[str]) -> str | None:
    """Give the field of a header of several words by its head word, or None where no rule says.

    ``words`` are folded. The order of the rules is the order of what such headers are mistaken for.
    """
    parts = [part for part in parts_of(words) if part not in _SMALL]
    if len(parts) < 2:
        return None
    said = {group for group, members in GROUPS.items() if any(part in members for part in parts)}
    if said & {"span"} or ("end" in said and said & {"time", "date"}):
        return "ignored"
    return _person(said, parts) or _moment(said, parts) or _act(said)


def _person(said: set[str], parts: Sequence[str]) -> str | None:
    if "birth" in said and "last" not in said:
        return "birth_date"
    if "birth" in said:
        return "last_name" if not said & {"date", "first"} else "birth_date"
    if "national" in said:
        return "niss"
    if "phone" in said:
        return "ignored" if said & {"doctor", "gp"} else "phone"
    if "gp" in said and said & {"doctor", "gp", "last"} and not said & {"date", "visit"}:
        return "ignored"
    if {"last", "first"} <= said and not _names_one(parts):
        return "clinician" if "doctor" in said else "full_name"
    if "doctor" in said and "famille" in parts:
        return "ignored"
    if "doctor" in said and not said & {"date", "time", "act"}:
        return "clinician"
    if "first" in said and not said & {"date", "visit"}:
        return "first_name"
    if "last" in said and not said & {"date", "visit", "act", "record"}:
        return "last_name"
    if said & {"record", "patient"} and "number" in said and not said & {"date", "room"}:
        return "record_number"
    return None


def _names_one(parts: Sequence[str]) -> bool:
    """'First name' and 'last name' hold 'name' beside the word that counts."""
    return (
        len(parts) == 2 and parts[1] in {"name", "names", "naam"} and parts[0] in {"first", "given", "last", "family"}
    )


def _moment(said: set[str], parts: Sequence[str]) -> str | None:
    if "date" in said or ("visit" in said and "other" in said):
        if "other" in said:
            return "ignored"
        return "planned_date" if said & {"act", "visit", "time", "patient", "doctor"} else None
    if "time" in said:
        return "ignored" if "other" in said else "planned_time"
    if "visit" in said and "room" not in said and parts[-1] in GROUPS["visit"] and not said & {"sort", "number"}:
        return "planned_date" if parts[-1] in {"termin", "rdv", "afspraak", "appointment"} and "act" in said else None
    return None


def _act(said: set[str]) -> str | None:
    if "sort" in said and "act" in said:
        return "procedure"
    if "room" in said and said & {"act", "number"}:
        return "room"
    return None
