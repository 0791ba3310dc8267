"""What is concluded of one row, code by code."""

from datetime import date
from typing import Any

import pytest
from handmade import HEADER, line

from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.listing import read_list
from crisisdesk.domain.rows import Concluded
from crisisdesk.domain.sheets import Record, Setting, Sheet
from crisisdesk.store.engine import Store

NISS_1958 = "58031204459"


@pytest.fixture(scope="session")
def setting(desk_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    from crisisdesk.store.engine import open_desk

    path = tmp_path_factory.mktemp("names") / "desk.db"
    path.write_bytes(desk_template.read_bytes())
    store: Store = open_desk(path)
    reference = load_reference(store)
    store.close()
    return Setting(reference.column_names, "BE", date(2022, 5, 20), ("LU", "FR", "DE", "NL"))


def rows_of(text: str, setting: Setting) -> list[Concluded]:
    records = [Record(at, (at, at), tuple(cells.split(";"))) for at, cells in enumerate(text.split("\n"), start=1)]
    listed = read_list(Sheet(None, records), setting)
    assert listed.refused is None
    return listed.rows


def conclude(setting: Setting, **cells: str) -> Concluded:
    filler = "\n".join(line(nom="AUTRE", ddn="01/02/1960", tel="063 04 05 06", acte=f"Acte {n}") for n in range(4))
    return rows_of(f"{HEADER}\n{line(**cells)}\n{filler}", setting)[1]


def test_a_usual_row_has_no_code(setting: Setting) -> None:
    row = conclude(setting)
    assert (row.status, row.codes) == ("accepted", [])
    assert row.values["birth_date"] == "1958-03-12"
    assert row.values["phones"] == ["+32451223344"]
    assert (row.values["planned_date"], row.values["planned_time"], row.values["priority"]) == (
        "2022-05-30",
        "08:30",
        "P3",
    )
    assert row.values["kind"] == "surgery"


@pytest.mark.parametrize(
    ("cells", "code", "values"),
    [
        ({"ddn": ""}, "birth_date_missing", {"birth_date": None}),
        ({"ddn": "12/03/2061"}, "birth_date_in_future", {"birth_date": None}),
        ({"ddn": "12/03/08"}, "birth_century_guessed", {"birth_date": "2008-03-12"}),
        ({"ddn": "12/03/1822"}, "date_out_of_range", {"birth_date": None}),
        ({"ddn": "31/02/1958"}, "date_unreadable", {"birth_date": None}),
        ({"nom": "\x1b[31mNOIRET"}, "control_characters_removed", {"last_name": "NOIRET"}),
        ({"nom": "NOI\u200bRET"}, "invisible_characters_removed", {"last_name": "NOIRET"}),
        ({"date": ""}, "date_missing", {"planned_date": None}),
        ({"date": "17/05/2202"}, "date_out_of_range", {"planned_date": None}),
        ({"date": "à refixer"}, "date_unreadable", {"planned_date": None}),
        ({"prenom": ""}, "first_name_missing", {"last_name": "NOIRET"}),
        ({"niss": NISS_1958, "ddn": "12/03/1968"}, "niss_birth_date_mismatch", {"niss": NISS_1958}),
        ({"niss": "58031204460"}, "niss_check_failed", {"niss": None}),
        ({"niss": "5,80312E+10"}, "niss_unreadable", {"niss": None}),
        ({"tel": "661 012 345"}, "phone_country_guessed", {"phones": None, "phones_guessed": ["+352661012345"]}),
        ({"tel": "+352 661 012 345"}, "phone_foreign", {"phones": ["+352661012345"]}),
        ({"tel": ""}, "phone_missing", {"phones": None}),
        ({"tel": "secret"}, "phone_unusable", {"phones": None}),
        ({"tel": "0451223344 / 086041"}, "phone_unusable", {"phones": ["+32451223344"]}),
        ({"prio": "urgent +++"}, "priority_unknown", {"priority": None}),
        ({"prio": "1"}, "priority_unknown", {"priority": None}),
        ({"heure": "matin"}, "time_unreadable", {"planned_time": None}),
    ],
)
def test_warnings(setting: Setting, cells: dict[str, str], code: str, values: dict[str, Any]) -> None:
    row = conclude(setting, **cells)
    assert code in row.codes
    assert row.status == "accepted_with_warnings"
    assert {name: row.values[name] for name in values} == values


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"ddn": "?", "niss": NISS_1958}, "birth_date_from_niss"),
        ({"rem": "Sourd : SMS uniquement"}, "contact_restriction_mentioned"),
        ({"rem": "patient décédé ?"}, "deceased_mentioned"), ({"rem": "=1+1"}, "formula_like_text"),
        ({"nom": "N?IRET"}, "lossy_name"),
        ({"rem": "[red]vu[/red]"}, "markup_like_text"), ({"niss": "?"}, "placeholder_value"),
        ({"nom": "Mme NOIRET"}, "title_removed"),
    ],
)  # fmt: skip
def test_notes(setting: Setting, cells: dict[str, str], code: str) -> None:
    row = conclude(setting, **cells)
    assert code in row.codes


@pytest.mark.parametrize("text", ["", "?", "/", "n.c."])
def test_an_empty_optional_cell_is_no_warning(setting: Setting, text: str) -> None:
    row = conclude(setting, niss=text, heure=text, salle=text, prio=text, rem=text)
    assert row.status == "accepted"
    assert not any(row.values[name] for name in ("niss", "planned_time", "room", "priority", "remark"))


@pytest.mark.parametrize(
    ("text", "code"), [("P1a", "P1a"), ("p 2", "P2"), ("P3.", "P3"), ("4", "P4"), ("P1b", "P1b"), ("P2/P3", None)]
)
def test_priorities(setting: Setting, text: str, code: str | None) -> None:
    assert conclude(setting, prio=text).values["priority"] == code


def test_the_niss_decides_the_century(setting: Setting) -> None:
    row = conclude(setting, ddn="12/03/58", niss=NISS_1958)
    assert row.values["birth_date"] == "1958-03-12"
    assert "birth_century_guessed" not in row.codes
    assert conclude(setting, ddn="12/03/58").values["birth_date"] == "1958-03-12"


def test_a_row_without_name_and_number_is_rejected(setting: Setting) -> None:
    row = conclude(setting, nom="", prenom="")
    assert (row.status, row.codes) == ("rejected", ["name_missing"])
    assert conclude(setting, nom="", prenom="", niss=NISS_1958).status != "rejected"


def test_records_that_are_no_rows(setting: Setting) -> None:
    text = "\n".join([
        "Bloc d'Arlon - situation au 18/05/2022", "", HEADER, line(), "SALLE 3", line(nom="AUTRE", acte="Phaco",
            tel="063040506"),
        HEADER, line(nom="TIERS", acte="LCA", tel="063040507") + ";x", "DERNIER;Luc;01/02", ";;;;", "Total : 9",
    ])  # fmt: skip
    rows = rows_of(text, setting)
    assert [(row.status, row.codes[:1]) for row in rows] == [
        ("ignored", ["title_row"]), ("ignored", ["blank_row"]), ("ignored", ["header_row"]), ("accepted", []),
        ("ignored", ["section_row"]), ("accepted", []), ("ignored", ["repeated_header"]),
        ("rejected", ["columns_mismatch"]),
        ("rejected", ["columns_mismatch"]), ("ignored", ["blank_row"]), ("ignored", ["total_row"]),
    ]  # fmt: skip


def test_a_repeated_row_makes_no_second_item(setting: Setting) -> None:
    again = line(tel="0032451223344", prio="3", nom=" Noiret")
    rows = rows_of("\n".join([HEADER, line(), again, line(heure="10:00")]), setting)
    assert [row.status for row in rows[1:]] == ["accepted", "duplicate", "accepted"]
    assert rows[2].of == 2


def test_a_header_on_two_lines(setting: Setting) -> None:
    text = "Nom du;Prénom;Date de;Téléphone;Date;Acte\npatient;;naissance;;opération;\n"
    text += "NOIRET;Marie;12/03/1958;0451223344;30/05/2022;PTG"
    rows = rows_of(text, setting)
    assert [row.codes for row in rows[:2]] == [["header_row"], ["header_row"]]
    assert (rows[2].values["birth_date"], rows[2].values["planned_date"]) == ("1958-03-12", "2022-05-30")


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Geboortedatum", "birth_date"), ("Geb.-Datum", "birth_date"), ("N° de tél.", "phone"), ("Rufnummer", "phone"),
        ("Date de l'opération", "planned_date"), ("OP-Termin", "planned_date"), ("Afspraakdatum", "planned_date"),
        ("Heure d'intervention", "planned_time"), ("Ancienne date", "ignored"), ("Naam arts", "clinician"),
        ("Operatiezaal", "room"),
        ("Dringlichkeit", "priority"), ("Bemerkung", "remark"), ("Rijksregisternummer", "niss"),
        ("N° dossier", "record_number"),
        ("Médecin traitant", "ignored"), ("Date annulation", "ignored"), ("Surname, Forename", "full_name"),
    ],
)  # fmt: skip
def test_column_names(setting: Setting, header: str, field: str) -> None:
    from crisisdesk.domain.columns import field_of

    found = field_of(header, setting.names)
    assert found
    assert found[0] == field


LAYOUTS = (
    "Naam patiënt=full_name;INSZ=niss;Geb.=birth_date;Gsm/tel=phone;Ingreep=procedure;Chirurg=clinician;"
    "Geplande datum=planned_date;Tijdstip=planned_time;OK=room;Prio=priority;Opm.=remark",
    "patient_name=full_name;dob=birth_date;ssin=niss;phone_1=phone;phone_2=phone;procedure=procedure;surgeon=clinician;"
    "surgery_date=planned_date;start=planned_time;theatre=room;prio=priority;comment=remark",
    "ID=record_number;Nom=last_name;Prénom=first_name;Sexe=;Date de naissance=birth_date;GSM=phone;Tél. fixe=phone;"
    "Médecin traitant=;Spécialiste=clinician;Date de la demande=;Date RDV=planned_date;Heure RDV=planned_time;"
    "Motif=procedure;Commentaires=remark",
    "N°=;NOM PATIENT=last_name;PRENOM PATIENT=first_name;DATE NAISS=birth_date;N° REG. NAT.=niss;TEL 1=phone;"
    "LIBELLE=procedure;CHIR=clinician;DATE INTERV=planned_date;HRE=planned_time;SALLE=room;PRIO=priority;REM=remark",
    "Lfd. Nr.=;Patient (Name, Vorname)=full_name;geb.=birth_date;Tel.=phone;Eingriff=procedure;Operateur=clinician;"
    "OP-Datum=planned_date;OP-Zeit=planned_time;Saal=room;Dringlichkeit=priority;Bem.=remark",
    "Surname=last_name;Forename=first_name;Born=birth_date;National ID=niss;Tel=phone;Mob=phone;Op=procedure;"
    "Cons=clinician;Date of op=planned_date;Time of op=planned_time;Theatre=room;Urgency=priority;Notes=remark",
    "date_rdv=planned_date;heure_rdv=planned_time;nom=last_name;prenom=first_name;date_naissance=birth_date;"
    "numero_national=niss;telephone=phone;code_postal=postcode;localite=town;discipline=service;praticien=clinician;"
    "motif_consultation=procedure;remarque=remark",
    "LastName=last_name;FirstName=first_name;BirthDate=birth_date;NationalNumber=niss;PhoneNumber=phone;"
    "AppointmentDate=planned_date;AppointmentTime=planned_time;DoctorName=clinician;ServiceName=service;"
    "ReasonForVisit=procedure;PriorityCode=priority;Comments=remark",
    "Patient=last_name;Prénom=first_name;Date=birth_date;Tél=phone;Date intervention=planned_date;Heure=planned_time;"
    "Acte=procedure",
)
TYPICAL = {
    "full_name": "NOIRET Marie", "last_name": "NOIRET", "first_name": "Marie", "birth_date": "12/03/1958",
    "niss": NISS_1958, "phone": "0451 22 33 44", "procedure": "PTG gauche", "clinician": "Dr Hautmont",
    "planned_date": "30/05/2022", "planned_time": "8h30", "room": "Salle 2", "priority": "P3", "remark": "Pacemaker",
    "record_number": "A1", "postcode": "6700", "town": "Arlon", "service": "Cardiologie", "": "x",
}  # fmt: skip
READ = TYPICAL | {"birth_date": "1958-03-12", "planned_date": "2022-05-30", "planned_time": "08:30"}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout).partition("=")[0])
def test_other_hospitals_name_their_columns_otherwise(setting: Setting, layout: str) -> None:
    columns = [tuple(pair.split("=")) for pair in layout.split(";")]
    rows = [";".join(name for name, _field in columns)]
    for number in range(5):
        days = {"birth_date": f"1{number}/03/19{number}8", "planned_date": f"2{number}/06/2022"}
        told = {**TYPICAL, **days} if number else TYPICAL
        rows.append(";".join(told[field] for _name, field in columns))
    values = rows_of("\n".join(rows), setting)[1].values
    fields = {field for _name, field in columns if field} - {"phone", "full_name", "record_number"}
    assert {name: values[name] for name in fields} == {name: READ[name] for name in fields}
    assert (values["last_name"], values["first_name"]) == ("NOIRET", "Marie")
    assert values["phones"] == ["+32451223344"]


def test_what_columns_hold_decides_between_day_and_hour(setting: Setting) -> None:
    moments = ((16, "8h30"), (17, "matin"), (18, "14h00"), (19, "9h15"), (20, "10h"))
    people = [f"NOIRET;Anne {day};12/03/1958;0451 22 33 44;{day}/05/2022;{hour};Acte" for day, hour in moments]
    for day, hour in (("Date RDV", "Moment"), ("Moment", "Termin"), ("Planning", "Date")):
        rows = rows_of("\n".join([f"Nom;Prénom;DDN;Tél;{day};{hour};Acte", *people]), setting)
        assert (rows[1].values["planned_date"], rows[1].values["planned_time"]) == ("2022-05-16", "08:30"), (day, hour)
        assert "time_unreadable" in rows[2].codes


def test_how_long_an_act_takes_is_no_hour(setting: Setting) -> None:
    people = [f"NOIRET;Anne {n};12/03/1958;0451 22 33 44;{n + 16}/05/2022;1h{n}5;Acte" for n in range(5)]
    rows = rows_of("\n".join(["Nom;Prénom;DDN;Tél;Date RDV;Temps bloc prévu;Acte", *people]), setting)
    assert rows[1].values["planned_time"] is None


def test_a_column_of_dates_that_holds_none_leaves_its_place_to_one_that_does(setting: Setting) -> None:
    people = [f"NOIRET;Anne {n};12/03/19{n}8;0451 22 33 44;à voir;{n + 16}/05/2022;Acte" for n in range(5)]
    header = "Nom;Prénom;DDN;Tél;Date;Zone 2;Acte"
    rows = rows_of("\n".join([header, *people]), setting)
    assert rows[1].values["planned_date"] == "2022-05-16"
    rows = rows_of("\n".join([header, *[text.replace("/05/2022", "") for text in people]]), setting)
    assert "date_unreadable" in rows[1].codes
