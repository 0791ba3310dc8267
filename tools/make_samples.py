# ruff: noqa: SIM905  (long lists of names read better as lines of words)
"""Writes data/samples: hospital lists and calls of people who do not exist, for `crisisdesk demo` and to try imports.

    python tools/make_samples.py [FOLDER]

The same seed gives the same bytes. Everything is invented: names are random pairs of names that are frequent in the
region, telephone numbers are valid as written but, as far as is known, not issued, national numbers use day counters
that registers hardly reach. The lists carry the quirks of real ones on purpose: each has its own layout, encoding,
way to write a date, a name or a telephone, and its own mistakes.
"""

import csv
import io
import json
import random
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SEED = 20220514
SITES = ("arlon", "marche", "libramont", "bastogne")
ZONE = ZoneInfo("Europe/Brussels")
FIRST_DAY, LAST_DAY = date(2022, 5, 16), date(2022, 6, 17)

LAST_NAMES = """
Adam Arend Barthélemy Bodart Bosseler Burnotte Claisse Collignon Conrard Dasnoy Debarsy Delacroix Demoulin Didier
Dufrasne Evrard Fiasse Flamion François Gaspard Georges Gillet Goffin Grandjean Guebels Hanus Hector Henrotin Hubermont
Incoul Jacquemin Jadot Kerger Lallemand Lecomte Lefèbvre Léonard Mahy Maréchal Materne Noël Nollet Otjacques Paquay
Peiffer Pierrard Poncelet Rossignon Sadzot Schleich Schmitz Servais Simonet Thiry Thomas Urbain Warnier Weyrich Zévart
""".split()
TWO_WORD_NAMES = ("Van den Broeck", "de Wouters", "D'Hoedt", "Le Roy", "Saint-Remy", "da Silva Pinto", "Müller")
WOMEN = """
Agnès Anne-Marie Béatrice Camille Céline Chloé Danièle Élise Françoise Ghislaine Hélène Inès Jeannine Josiane Lucie
Maëlle Marcelle Monique Nadège Noémie Odile Paulette Rita Simone Thérèse Zoé
""".split()
MEN = """
Albert André Aurélien Benoît Bernard Christophe Didier Émile François Gaëtan Guy Hervé Jean-Pol Joël Léon Loïc Marcel
Mathéo Michaël Nicolas Omer Pascal Raphaël Rémy Thibaut Yvan
""".split()
CLINICIANS = ("Aubry", "Castermans", "Delvigne", "Hébrant", "Lorquet", "Mestdagh", "Piette", "Weicker")
# What is done, where, for whom (F, M or both), born between.
OPERATIONS = (
    ("Prothèse totale de hanche G", "Orthopédie", "FM", 1930, 1970),
    ("Prothèse totale de genou D", "Orthopédie", "FM", 1930, 1970),
    ("Arthroscopie épaule", "Orthopédie", "FM", 1950, 2003),
    ("Canal carpien", "Orthopédie", "FM", 1940, 1995),
    ("Cataracte OD", "Ophtalmologie", "FM", 1930, 1962),
    ("Cataracte OG", "Ophtalmologie", "FM", 1930, 1962),
    ("Cholécystectomie", "Chirurgie générale", "FM", 1940, 2003),
    ("Hernie inguinale", "Chirurgie générale", "FM", 1940, 2016),
    ("Amygdalectomie", "ORL", "FM", 1990, 2018),
    ("Drains transtympaniques", "ORL", "FM", 2012, 2020),
    ("RTU prostate", "Urologie", "M", 1935, 1968),
    ("Varices MI", "Chirurgie vasculaire", "FM", 1940, 1995),
    ("Hystérectomie", "Gynécologie", "F", 1945, 1985),
    ("Conisation", "Gynécologie", "F", 1970, 1998),
)
SPECIALTIES = "Cardiologie Dermatologie Gastro-entérologie Neurologie Pneumologie Rhumatologie Diabétologie ORL".split()
EXAMS = ("RX thorax", "CT abdomen", "MRI knie", "Echo abdomen", "CT hersenen", "RX heup", "Botdensitometrie")
TOWNS = """
6700 Arlon, 6780 Messancy, 6717 Attert, 6720 Habay, 6800 Libramont, 6840 Neufchâteau, 6900 Marche-en-Famenne,
6940 Durbuy, 6600 Bastogne, 6637 Fauvillers, 6760 Virton, 6690 Vielsalm
""".split(",")


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist."""

    last_name: str
    first_name: str
    sex: str
    birth_on: date
    niss: str
    phones: tuple[str, ...]
    postcode: str
    town: str


@dataclass(frozen=True)
class Item:
    """One appointment that was put off."""

    person: Person
    day: date
    at: time
    what: str
    service: str
    clinician: str
    room: str = ""
    priority: str = ""
    remark: str = ""
    site: str = ""


class Inventor:
    """Invents people and appointments from one source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._taken: set[str] = set()

    def person(self, sexes: str = "FM", oldest: int = 1932, youngest: int = 2016) -> Person:
        """A new person, with a number or two."""
        sex = self.chance.choice(sexes)
        last = self.chance.choice(TWO_WORD_NAMES if self.chance.random() < 0.08 else LAST_NAMES)
        first = self.chance.choice(WOMEN if sex == "F" else MEN)
        born = date(self.chance.randint(oldest, youngest), 1, 1) + timedelta(days=self.chance.randrange(365))
        postcode, town = self.chance.choice(TOWNS).split()
        phones = [self._phone("mobile" if self.chance.random() < 0.7 else "fixed")]
        if self.chance.random() < 0.25:
            phones.append(self._phone("fixed"))
        return Person(last, first, sex, born, self._niss(born, sex), tuple(phones), postcode, town)

    def operation(self) -> Item:
        """An operation of a new person of an age and a sex that it makes sense for."""
        what, service, sexes, oldest, youngest = self.chance.choice(OPERATIONS)
        item = self._item(self.person(sexes, oldest, youngest), what, service)
        weights = {"P1b": 1, "P2": 12, "P3": 30, "P4": 25, "": 28, "urgent": 2, "à revoir": 2}
        return replace(item, priority=self.chance.choices(list(weights), list(weights.values()))[0])

    def consultation(self, person: Person) -> Item:
        """A consultation of that person."""
        return self._item(person, "contrôle", self.chance.choice(SPECIALTIES))

    def exam(self, person: Person) -> Item:
        """An exam of that person."""
        return self._item(person, self.chance.choice(EXAMS), "Medische beeldvorming")

    def _item(self, person: Person, what: str, service: str) -> Item:
        day = FIRST_DAY + timedelta(days=self.chance.randrange((LAST_DAY - FIRST_DAY).days))
        while day.weekday() > 4:
            day += timedelta(days=1)
        at = time(self.chance.randint(8, 16), self.chance.choice((0, 10, 15, 20, 30, 45)))
        clinician = f"Dr {self.chance.choice(CLINICIANS)}"
        return Item(person, day, at, what, service, clinician, f"S{self.chance.randint(1, 4)}")

    def _phone(self, kind: str) -> str:
        """National digits of a number from a block that is, as far as known, not issued."""
        start = self.chance.choice(("06399", "06199", "08499")) if kind == "fixed" else "045" + self.chance.choice("14")
        length = 9 if kind == "fixed" else 10
        while (number := start + "".join(self.chance.choices("0123456789", k=length - len(start)))) in self._taken:
            pass
        self._taken.add(number)
        return number

    def _niss(self, born: date, sex: str) -> str:
        counter = self.chance.randrange(901 if sex == "M" else 900, 997, 2)
        first = f"{born:%y%m%d}{counter:03}"
        rest = int(("2" if born.year >= 2000 else "") + first) % 97
        return f"{first}{97 - rest:02}"


def grouped(number: str) -> str:
    """A Belgian number as people write it."""
    if len(number) == 9:
        return f"{number[:3]}/{number[3:5]}.{number[5:7]}.{number[7:]}"
    return f"{number[:4]} {number[4:6]} {number[6:8]} {number[8:]}"


def dotted(niss: str) -> str:
    """A national number as on the card."""
    return f"{niss[:2]}.{niss[2:4]}.{niss[4:6]}-{niss[6:9]}.{niss[9:]}"


def write_csv(path: Path, rows: list[list[str]], *, separator: str, encoding: str) -> None:
    """Write rows, each ended by CR LF as office programs do."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


ARLON_HEADER = (
    "Date op.;Heure;Salle;Nom;Prénom;Né(e) le;N° national;Tél. 1;Tél. 2;Intervention;Opérateur;Prio;Remarque".split(";")
)


def arlon_row(item: Item) -> list[str]:
    """One line of the theatre list of Arlon."""
    who = item.person
    second = grouped(who.phones[1]) if len(who.phones) > 1 else ""
    first = grouped(who.phones[0]) if who.phones else ""
    return [
        f"{item.day:%d/%m/%Y}", f"{item.at:%H:%M}", item.room, who.last_name.upper(), who.first_name,
        f"{who.birth_on:%d/%m/%Y}", dotted(who.niss) if who.niss else "", first, second,
        item.what, item.clinician, item.priority, item.remark,
    ]  # fmt: skip


def write_arlon(folder: Path, inventor: Inventor) -> list[Item]:
    """The theatre list of Arlon, and the same list three days later."""
    chance = inventor.chance
    items = [inventor.operation() for _ in range(118)]
    items[4] = replace(items[4], remark="ne pas laisser de message")
    items[9] = replace(items[9], person=replace(items[9].person, phones=(), niss=""))
    items[15] = replace(items[15], person=replace(items[15].person, niss="12345678901"))
    items[21] = replace(items[21], remark="allergie latex ; prévenir l'anesthésiste")
    items[30] = replace(items[30], person=replace(items[30].person, phones=("+352691990418",)))
    items.sort(key=lambda item: (item.day, item.at))
    rows = [arlon_row(item) for item in items]
    rows[40][5] = "31/02/1956"  # no such day
    rows.insert(60, rows[12])  # the same patient twice
    write_csv(folder / "arlon_bloc_20mai.csv", [ARLON_HEADER, *rows], separator=";", encoding="cp1252")
    later = [item for at, item in enumerate(items) if at not in (3, 25, 51, 77)]
    for at in chance.sample(
        range(len(later)), 9
    ):  # a new date, a priority that a surgeon gave, a number that was found
        item = later[at]
        later[at] = chance.choice(
            (
                replace(item, day=item.day + timedelta(days=7)),
                replace(item, priority="P2"),
                replace(item, person=replace(item.person, phones=(*item.person.phones, inventor._phone("mobile"))[:2])),
            )
        )
    added = [inventor.operation() for _ in range(7)]
    rows = [arlon_row(item) for item in sorted(later + added, key=lambda item: (item.day, item.at))]
    for row in rows[::13]:
        row[3], row[4] = row[3].title(), row[4].upper()  # typed again by somebody else
    write_csv(folder / "arlon_bloc_23mai.csv", [ARLON_HEADER, *rows], separator=";", encoding="cp1252")
    return items


def write_libramont(folder: Path, inventor: Inventor, known: list[Item]) -> list[Item]:
    """The consultations of Libramont: a spreadsheet of a secretariat, by specialty, names in one column."""
    people = [item.person for item in inventor.chance.sample(known, 9)] + [
        inventor.person(youngest=2010) for _ in range(97)
    ]
    items = sorted((inventor.consultation(who) for who in people), key=lambda item: (item.service, item.day))
    rows = [["Consultations à reprogrammer - Libramont"] + [""] * 6, ["situation au 19/05/2022"] + [""] * 6, [""] * 7]
    rows.append("Patient;Date de naissance;Téléphone(s);Rendez-vous;Heure;Médecin;Commentaire".split(";"))
    service = ""
    for at, item in enumerate(items):
        if item.service != service:
            service = item.service
            rows.append([service.upper()] + [""] * 6)
        rows.append(libramont_row(item, at))
    rows.append([f"Total : {len(items)}"] + [""] * 6)
    write_csv(folder / "libramont_consultations.csv", rows, separator=";", encoding="utf-8-sig")
    return items


def libramont_row(item: Item, at: int) -> list[str]:
    """One line; every few lines another habit of the person who typed."""
    who = item.person
    phones = " / ".join(grouped(number) for number in who.phones)
    comment = ""
    if at % 7 == 3 and who.phones:
        phones = f"{grouped(who.phones[0])} (fille)"
    if at % 11 == 5:
        comment = "à rappeler\naprès 16 h"
    if at % 17 == 8:
        comment = "=à voir avec le secrétariat"
    born = f"{who.birth_on.day}/{who.birth_on.month}/{who.birth_on.year}" if at % 23 else ""
    title = {"F": "Mme ", "M": "M. "}[who.sex] if at % 5 == 0 else ""
    hour = f"{item.at.hour}h{item.at.minute:02}" if at % 3 else f"{item.at:%H:%M}"
    return [
        f"{title}{who.last_name.upper()} {who.first_name}",
        born,
        phones,
        f"{item.day:%d/%m/%y}",
        hour,
        item.clinician,
        comment,
    ]


def write_marche(folder: Path, inventor: Inventor, known: list[Item]) -> list[Item]:
    """The planning of Marche: a workbook kept by hand, dates as dates, numbers as numbers, a sheet of notes."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(folder / "marche_planning.xlsx"), {"strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": datetime(2022, 5, 20, 9, 0, tzinfo=UTC)})
    style = book.add_format({"num_format": "dd/mm/yyyy"})
    found: list[Item] = []
    for title, kind, count in (("Chirurgie", "surgery", 62), ("Consultations", "consultation", 48)):
        sheet = book.add_worksheet(title)
        sheet.write(0, 0, f"{title} - Marche, à reprogrammer")
        act = "ACTE" if kind == "surgery" else "SPECIALITE"
        head = ["NOM", "PRENOM", "DDN", "GSM", "NISS", "DATE", "HEURE", act, "MEDECIN", "URGENCE"]
        sheet.write_row(2, 0, head)
        if kind == "surgery":
            items = [inventor.operation() for _ in range(count)]
        else:
            again = [item.person for item in inventor.chance.sample(known, 4)]
            items = [inventor.consultation(who) for who in again + [inventor.person() for _ in range(count - 4)]]
        for at, item in enumerate(items):
            write_marche_row(sheet, at + 3 + at // 20, item, kind, style)  # an empty row every twenty
        found += items
    notes = book.add_worksheet("Notes")
    notes.write_column(0, 0, ["Demander à Mme Hector la liste du 24/05", "Salle 3 fermée", "Merci !"])
    book.close()
    return found


def write_marche_row(sheet: Any, at: int, item: Item, kind: str, style: Any) -> None:
    """One row; numbers stand as numbers, so a telephone loses its zero."""
    who = item.person
    sheet.write(at, 0, who.last_name)
    sheet.write(at, 1, who.first_name)
    sheet.write_datetime(at, 2, datetime.combine(who.birth_on, time()), style)
    if who.phones:
        number = who.phones[0]
        sheet.write(
            at, 3, int(number) if number.isdigit() and at % 2 else grouped(number) if number.isdigit() else number
        )
    if who.niss:
        sheet.write(at, 4, int(who.niss) if at % 3 else dotted(who.niss))
    if at % 5:
        sheet.write_datetime(at, 5, datetime.combine(item.day, time()), style)
    else:
        sheet.write(at, 5, f"{item.day:%d-%m-%Y}")
    sheet.write(at, 6, f"{item.at.hour}h{item.at.minute:02}")
    sheet.write(at, 7, item.what if kind == "surgery" else item.service)
    sheet.write(at, 8, item.clinician)
    sheet.write(at, 9, {"P2": 2, "P3": 3, "P4": 4}.get(item.priority, item.priority))


def write_bastogne(folder: Path, inventor: Inventor, known: list[Item]) -> list[Item]:
    """The exams of Bastogne: a print-out of an imaging system with Dutch headers, capitals, two-digit years."""
    people = [item.person for item in inventor.chance.sample(known, 6)] + [
        inventor.person(youngest=2002) for _ in range(60)
    ]
    items = sorted((inventor.exam(who) for who in people), key=lambda item: (item.day, item.at))
    rows = [
        "Afspraakdatum Uur Familienaam Voornaam Geb.datum Tel Postcode Gemeente Onderzoek Aanvrager Opmerking".split()
    ]
    for at, item in enumerate(items):
        who = item.person
        number = who.phones[0] if who.phones else "geen"
        if number.isdigit() and at % 6 == 2:
            number = "0032" + number[1:]
        remark = "nuchter" if item.what == "CT abdomen" else ""
        rows.append([
            f"{item.day:%d.%m.%y}", f"{item.at:%H.%M}", plain(who.last_name), plain(who.first_name),
            f"{who.birth_on:%d.%m.%y}", number, who.postcode, plain(who.town), item.what, item.clinician, remark,
        ])  # fmt: skip
    write_csv(folder / "bastogne_beeldvorming.txt", rows, separator="\t", encoding="cp1252")
    return items


def plain(text: str) -> str:
    """Capitals without accents, as old systems print."""
    import unicodedata

    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).upper()


TOPICS = (
    ("operation_postponed", "callback", "Mon opération est annulée, quand est-ce que je passe ?", 30),
    ("consultation_postponed", "callback", "Le rendez-vous n'a pas eu lieu, on me rappelle ?", 26),
    ("appointment_kept", "informed", "Est-ce que je dois venir quand même ?", 30),
    ("rebook", "callback", "Je voudrais une nouvelle date", 14),
    ("imaging", "callback", "Le scanner est-il réparé ?", 10),
    ("results", "informed", "J'attends mes résultats de prise de sang", 10),
    ("medication", "transferred", "Je n'ai plus d'ordonnance", 5),
    ("data_leak", "informed", "Mes données ont-elles été volées ?", 8),
    ("worse", "emergency", "La douleur est bien plus forte depuis hier", 4),
    ("visit", "transferred", "Quelle chambre pour ma mère ?", 5),
    ("invoice", "referred", "J'ai reçu un rappel de facture", 4),
    ("press_question", "referred", "Combien de patients sont touchés ?", 2),
    ("complaint", "complaint", "Troisième appel, personne ne sait rien", 3),
)
QUICK = (("silent", 3), ("hung_up", 6), ("wrong_number", 3))


def write_calls(folder: Path, inventor: Inventor, known: list[Item], count: int = 240) -> None:
    """Calls of the two weeks before the opening and of its morning, one JSON object a line, in order of time."""
    chance = inventor.chance
    opening = datetime(2022, 5, 31, 7, tzinfo=ZONE)
    moments = [
        opening - timedelta(days=chance.randint(1, 14)) + timedelta(minutes=chance.triangular(60, 720, 210))
        for _ in range(count)
    ]
    moments += [opening + timedelta(minutes=chance.uniform(5, 90)) for _ in range(16)]  # the morning of the opening
    moments.sort()
    with open(folder / "calls.jsonl", "w", encoding="utf-8") as file:
        for number, at in enumerate(moments, start=1):
            file.write(json.dumps(call(inventor, known, number, at), ensure_ascii=False) + "\n")


def call(inventor: Inventor, known: list[Item], number: int, at: datetime) -> dict[str, Any]:
    """One call, as an agent would have entered it."""
    chance = inventor.chance
    start, length = at.replace(microsecond=0).astimezone(UTC), timedelta(seconds=int(chance.triangular(45, 600, 150)))
    entry: dict[str, Any] = {
        "uid": f"sample-{number:04}",
        "started_at": start.isoformat(),
        "ended_at": (start + length).isoformat(),
    }
    if chance.random() < 0.07:
        quick = chance.choices([code for code, _weight in QUICK], [weight for _code, weight in QUICK])[0]
        return {**entry, "disposition": quick, "phone": inventor._phone("mobile")}
    item = chance.choice(known)
    if chance.random() < 0.25:  # on no list
        item = inventor.operation() if chance.random() < 0.5 else inventor.consultation(inventor.person())
    topic, disposition, words, _weight = chance.choices(TOPICS, [row[3] for row in TOPICS])[0]
    kind = chance.choices(("self", "relative", "gp", "care_home"), (70, 22, 6, 2))[0]
    who = item.person
    entry |= {
        "phone": number_of(who) or inventor._phone("mobile"), "is_withheld": False,
        "last_name": who.last_name, "first_name": who.first_name,
        "birth": who.birth_on.isoformat() if chance.random() < 0.8 else "", "caller_kind": kind,
        "relation": chance.choice(("fille", "fils", "conjoint", "voisine")) if kind == "relative" else "",
        "language": chance.choices(("fr", "de", "nl", "lb", "pt"), (84, 6, 5, 3, 2))[0],
        "topic": topic, "words": words, "disposition": disposition, "site_id": item.site or chance.choice(SITES),
    }  # fmt: skip
    if disposition == "informed" and chance.random() < 0.3:  # nobody has to ring back
        entry |= {"phone": "", "is_withheld": True}
    if topic == "worse":
        entry |= {"red_flag": "doubt", "note": "état aggravé, transmis"}
    if topic == "complaint":
        entry["note"] = words
    if disposition == "callback" and chance.random() < 0.3:
        entry["wish"] = chance.choice(("le matin", "après 16h", "demain matin"))
    return entry


def number_of(who: Person) -> str:
    """The number that somebody rings from; empty where none is known."""
    return who.phones[0] if who.phones else ""


def main(folder: Path) -> None:
    """Write every file."""
    folder.mkdir(parents=True, exist_ok=True)
    inventor = Inventor(SEED)
    known = [replace(item, site="arlon") for item in write_arlon(folder, inventor)]
    known += [replace(item, site="libramont") for item in write_libramont(folder, inventor, known)]
    known += [replace(item, site="marche") for item in write_marche(folder, inventor, known)]
    known += [replace(item, site="bastogne") for item in write_bastogne(folder, inventor, known)]
    write_calls(folder, inventor, known)
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:8} {path}")


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here / "data" / "samples")
