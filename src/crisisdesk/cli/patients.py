"""`crisisdesk patient ...`: the plain twin of the screen Patient."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from crisisdesk import clock
from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_record, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.seen import add_seen, read_seen, telling_conflicts
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _, ngettext

_CORRECTIONS = {
    "last_name": N_("last name of the patient"),
    "first_name": N_("first name of the patient"),
    "birth": N_("birth date, as 12/03/1958"),
    "niss": N_("national number"),
    "language": N_("language of the patient: fr, nl, de ..."),
    "contact_note": N_("what to know before ringing"),
}


def add_parser(subparsers: Subparsers) -> None:
    """Add `patient`."""
    patient = subparsers.add_parser("patient", help=_("find, show, correct and merge patients"))
    parts = patient.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    find = parts.add_parser("find", help=_("who may be meant: name, number, birth date, reference, in any order"))
    find.add_argument("text", nargs="+", metavar=_("TEXT"))
    find.set_defaults(run=find_patient)
    shown = _of_one(parts, "show", _("everything about one person"), show_patient)
    shown.add_argument("--full", action="store_true", help=_("with the whole national number"))
    correct = _of_one(parts, "correct", _("correct a name, a birth date, a national number"), correct_one)
    for name, words in _CORRECTIONS.items():
        correct.add_argument("--" + name.replace("_", "-"), dest=name, metavar=_("TEXT"), help=_(words))
    correct.add_argument(
        "--voicemail", choices=("unknown", "none", "identified"), help=_("what may be left on the machine")
    )
    add_seen(correct)
    merge = _of_one(parts, "merge", _("say that two records are one person"), merge_two)
    merge.add_argument("other_id", type=int, metavar=_("OTHER"))
    merge.add_argument("--why", default="", metavar=_("TEXT"), help=_("how it was found"))
    split = _of_one(parts, "split", _("part two records that were merged"), split_two)
    split.add_argument("other_id", type=int, metavar=_("OTHER"))
    death = _of_one(parts, "death", _("report, confirm (as second agent) or refute a death"), tell_death)
    death.add_argument("step", choices=("report", "confirm", "refute"))
    death.add_argument("--why", default="", metavar=_("TEXT"), help=_("how it was found that the person is alive"))


def _of_one(parts: Subparsers, name: str, words: str, run: Callable[[Namespace, Context], int]) -> Any:
    parser = parts.add_parser(name, help=words)
    parser.add_argument("patient_id", type=int, metavar="ID")
    parser.set_defaults(run=run)
    return parser


def correct_one(arguments: Namespace, context: Context) -> int:
    """Correct what is given; the old values stay in the journal."""
    from crisisdesk.desk.patients import correct_patient

    names = (*_CORRECTIONS, "voicemail")
    said = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if not said:
        raise RuleBroken(_("Say what is to be corrected, for example --birth 12/03/1958."))
    store, agent, now, number = context.open_store(), context.agent(), context.now(), arguments.patient_id
    seen = read_seen(arguments.seen, said)
    with telling_conflicts(context):
        changed = correct_patient(store, number, agent=agent, now=now, seen=seen, **said)
    rows = [{"field": name, "old": old, "new": new} for name, (old, new) in changed.items()]
    headings = {"field": _("Field"), "old": _("Old"), "new": _("New")}
    show_table(context, headings, rows, empty=_("Nothing was different."))
    return 0


def merge_two(arguments: Namespace, context: Context) -> int:
    """Merge; it can be parted again."""
    from crisisdesk.desk.patients import merge_patients

    one, other = arguments.patient_id, arguments.other_id
    stays = merge_patients(
        context.open_store(), one, other, agent=context.agent(), now=context.now(), why=arguments.why
    )
    gone = other if stays == one else one
    _tell(context, {"patient_id": stays, "merged": gone}, _("Patient {one} now stands for {other} too."))
    return 0


def split_two(arguments: Namespace, context: Context) -> int:
    """Part what `merge` put together."""
    from crisisdesk.desk.patients import split_pair

    one, other = arguments.patient_id, arguments.other_id
    split_pair(context.open_store(), one, other, agent=context.agent(), now=context.now())
    _tell(context, {"patient_id": one, "parted": other}, _("Patients {one} and {other} are two again."))
    return 0


def _tell(context: Context, result: dict[str, int], words: str) -> None:
    if context.json:
        show_json(context, result)
    else:
        one, other = result.values()
        say(context, words.format(one=one, other=other))


def tell_death(arguments: Namespace, context: Context) -> int:
    """Report, confirm or refute; says which callbacks it changed."""
    from crisisdesk.desk.patients import confirm_death, refute_death, report_death

    store, agent, now, number = context.open_store(), context.agent(), context.now(), arguments.patient_id
    if arguments.step == "refute":
        callbacks = refute_death(store, number, why=arguments.why, agent=agent, now=now)
        words = ngettext("{count} callback may be rung again.", "{count} callbacks may be rung again.", len(callbacks))
    elif arguments.step == "confirm":
        callbacks = confirm_death(store, number, agent=agent, now=now)
        words = ngettext("{count} callback closed.", "{count} callbacks closed.", len(callbacks))
    else:
        callbacks = report_death(store, number, agent=agent, now=now)
        words = ngettext(
            "{count} callback stopped. A second agent confirms.",
            "{count} callbacks stopped. A second agent confirms.",
            len(callbacks),
        )
    if context.json:
        show_json(context, {"patient_id": number, "step": arguments.step, "callbacks": callbacks})
    else:
        say(context, words.format(count=len(callbacks)))
    return 0


def find_patient(arguments: Namespace, context: Context) -> int:
    """People who may be meant, best first."""
    from crisisdesk.desk.linking import MatchQuery, find_matches, words_for

    reference = context.reference()
    query = MatchQuery(text=" ".join(arguments.text))
    found = find_matches(context.open_store(), query, now=context.now(), reference=reference)
    rows = [
        {
            "id": match.patient_id,
            "name": match.name,
            "birth": match.birth_on,
            "phones": [line.number for line in match.phones],
            "items": len(match.items),
            "callbacks": len(match.callbacks),
            "why": list(words_for(match)),
            "on_this_number_only": match in found.on_this_number,
        }
        for match in (*found.matches, *found.on_this_number)
    ]
    headings = {
        "id": "ID",
        "name": _("Name"),
        "birth": _("Born on"),
        "phones": _("Numbers"),
        "items": _("Postponements"),
        "callbacks": _("Callbacks"),
        "why": _("Why"),
    }
    show_table(context, headings, rows, empty=_("Nobody found."))
    if found.reference_near:
        say(
            context,
            _("This reference does not fit its letter; perhaps: {near}.").format(near=", ".join(found.reference_near)),
        )
    return 0


def show_patient(arguments: Namespace, context: Context) -> int:
    """Everything about one person, oldest to newest. The read is journalled."""
    from crisisdesk.desk.patients import open_patient
    from crisisdesk.domain.person import mask_national_number

    reference = context.reference()
    zone = reference.desk.time_zone
    file = open_patient(context.open_store(), arguments.patient_id, agent=context.agent(), now=context.now())
    niss = file.niss if arguments.full else mask_national_number(file.niss, reference.desk.national_number)
    if context.json:
        show_json(context, replace(file, niss=niss))
        return 0
    record = {
        "name": file.name,
        "birth": file.birth_on,
        "niss": niss,
        "phones": [line.number for line in file.phones],
        "items": [
            f"{item.service_name} {item.site_id} {item.original_on or ''} {item.priority or '?'} {item.coverage.value}"
            for item in file.items
        ],
        "proof": file.proof,
        "death": _("reported") if file.death_reported_at else "",
    }
    show_record(
        context,
        {
            "name": _("Name"),
            "birth": _("Born on"),
            "niss": _("National no."),
            "phones": _("Numbers"),
            "items": _("Postponements"),
            "proof": _("Agreed words"),
            "death": _("Death"),
        },
        record,
    )
    rows = [{"at": f"{clock.to_local(event.at, zone):%d/%m/%Y %H:%M}", "what": event.kind.value, "agent": event.agent,
             "code": event.code, "words": event.words} for event in file.events]  # fmt: skip
    show_table(
        context, {"at": _("When"), "what": _("What"), "agent": _("Agent"), "code": _("Code"), "words": _("Said")}, rows
    )
    return 0
