"""The story of the demo in text: a call, an opening, the first three who are rung, the figures of the day."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext

if TYPE_CHECKING:
    from crisisdesk.desk.attempts import AttemptForm
    from crisisdesk.desk.callbacks import QueueRow
    from crisisdesk.desk.cards import CallbackCard
    from crisisdesk.desk.reopening import OpeningPreview
    from crisisdesk.domain.matches import ItemLine
    from crisisdesk.store.cards import HeldItem

# What the first three answer: each leads to another next step.
ANSWERS = (("accepts_date", ""), ("no_answer", ""), ("declines", "préfère d'abord revoir son médecin traitant"))


def tell(context: Context) -> int:
    """Tell the story on a desk that `desk.demo` has filled; gives 0."""
    take_a_call(context)
    reopen(context)
    for disposition, note in ANSWERS:
        ring(context, disposition, note)
    figures(context)
    return 0


def chapter(context: Context, title: str) -> None:
    """Write a heading."""
    say(context, "")
    say(context, title if context.plain else f"## {title}")


def phone(context: Context, number: str) -> str:
    """A number as people read it aloud."""
    from crisisdesk.domain.phone import group_phone

    return group_phone(number, context.reference().desk.country) if number else _("no number")


def item_words(item: "ItemLine | HeldItem") -> str:
    """A postponement on one line: what, when it was to be, how urgent."""
    day = f"{item.original_on:%d/%m}" if item.original_on else "-"
    priority = item.priority or _("uncoded")
    return f"{item.procedure or item.service_name or item.kind or ''}  {day}  {priority}".strip()


# ---------------------------------------------------------------- a call comes in
def take_a_call(context: Context) -> None:
    """A patient of the theatre's list calls; the search finds him while his name is typed, and the call is linked."""
    from crisisdesk.desk.demo import SITE
    from crisisdesk.desk.intake import CallForm, ItemSaid, record_call
    from crisisdesk.desk.linking import MatchQuery, find_matches, words_for

    store, now = context.open_store(), context.now()
    caller = somebody(context)
    last_name = caller.patient.split()[0]
    chapter(context, _("A call comes in"))
    say(
        context,
        _("{number} calls. The agent types '{text}'.").format(number=phone(context, caller.number), text=last_name),
    )
    query = MatchQuery(phone=caller.number, last_name=last_name)
    found = find_matches(store, query, now=now, limit=3, reference=context.reference()).matches
    for place, match in enumerate(found, start=1):
        born = f"{match.birth_on:%d/%m/%Y}" if match.birth_on else "-"
        say(context, f"  {place}  {match.name}  {born}  ({', '.join(words_for(match))})")
        for item in match.items:
            say(context, f"       {item_words(item)}")
    form = CallForm(
        uid=uuid.uuid4().hex,
        started_at=now - timedelta(minutes=3),
        ended_at=now,
        disposition="callback",
        phone=caller.number,
        caller_kind="self",
        language="fr",
        patient_ids=(found[0].patient_id,),
        items=tuple(ItemSaid(item.postponement_id) for item in found[0].items if item.site_id == SITE),
        site_id=SITE,
        topic="operation_date",
        words="Le bloc reprend aujourd'hui, suis-je sur la liste ?",
        wish="après 14h",
    )
    call = record_call(store, form, agent=context.agent(), now=now, reference=context.reference())
    say(context, _("Linked to 1, saved. Reference to read out: {reference}").format(reference=call.reference))


def somebody(context: Context) -> "QueueRow":
    """Somebody who waits for the opening and has a number: not the first of the line."""
    from crisisdesk.desk.callbacks import list_queue
    from crisisdesk.desk.demo import SITE

    rows = [row for row in list_queue(context.open_store(), SITE, now=context.now()).rows if row.number]
    if not rows:
        raise RuleBroken(_("The sample lists hold nobody for this site: install the program again."))
    return rows[len(rows) // 2]


# ---------------------------------------------------------------- the theatre opens again
def reopen(context: Context) -> None:
    """Preview the planned opening, then confirm it."""
    from crisisdesk.desk.demo import planned_opening
    from crisisdesk.desk.reopening import confirm_opening, preview_opening

    store, now = context.open_store(), context.now()
    form = planned_opening(store, now=now)
    service = context.reference().services[form.service_id]
    site = context.reference().sites[service.site_id]
    chapter(context, _("{site} opens again: {service}").format(site=site.name, service=service.name))
    words = _("From {day}, {count} patients a day. Before it is confirmed:")
    say(context, words.format(day=f"{form.opens_on:%d/%m/%Y}", count=form.capacity_a_day))
    show_preview(context, preview_opening(store, form, now=now))
    done = confirm_opening(store, form, agent=context.agent(), now=now)
    words = ngettext("Confirmed: {count} callback released.", "Confirmed: {count} callbacks released.", done.released)
    say(context, words.format(count=done.released))


def show_preview(context: Context, preview: "OpeningPreview") -> None:
    """What an opening would do."""
    say(context, _("  {count} callbacks would be released, {staying} would go on waiting").format(
        count=preview.released, staying=preview.staying))  # fmt: skip
    for place, one in enumerate(preview.first, start=1):
        say(context, f"  {place:2}  {one.name}: {one.why}")
    for reason in preview.stay_reasons:
        say(context, f"      {reason}")
    if preview.empty_on:
        say(context, _("  the backlog would be empty by {day}").format(day=f"{preview.empty_on:%d/%m/%Y}"))


# ---------------------------------------------------------------- the first ones are rung
def ring(context: Context, disposition: str, note: str) -> None:
    """Take the next callback, say why it is the next, ring, and record the answer."""
    from crisisdesk.desk.attempts import preview, record_attempt
    from crisisdesk.desk.callbacks import NothingNow, take_next
    from crisisdesk.desk.demo import SITE

    store, now = context.open_store(), context.now()
    card = take_next(store, SITE, agent=context.agent(), now=now)
    if isinstance(card, NothingNow):
        say(context, card.words)
        return
    chapter(context, _("Ring {name}: {number}").format(name=card.patient, number=phone(context, card.number)))
    say(context, _("Why now: {reason}").format(reason=card.why_here))
    for item in card.items:
        say(context, f"  {item_words(item)}")
    form = answer(context, card, disposition, note)
    ahead = preview(store, card.callback_id, form.disposition, now=now, number=card.number)
    label = context.reference().label("disposition.attempt", form.disposition, context.language)
    say(context, _("Answer: {label}. This leads to: {step}").format(label=label, step=ahead.words))
    done = record_attempt(store, form, agent=context.agent(), now=context.now())
    say(context, _("Saved: {step}").format(step=done.words))


def answer(context: Context, card: "CallbackCard", disposition: str, note: str) -> "AttemptForm":
    """The form of an answer; a date is accepted for each postponement that has a free place, or nobody answers."""
    from crisisdesk.desk.attempts import AttemptForm, ItemResult

    now = context.now()
    items = {}
    if disposition == "accepts_date":
        items = {
            number: ItemResult("accepts_date", slot_on=slots[0].slot_on)
            for number, slots in card.offers.items()
            if slots
        }
        disposition = disposition if items else "no_answer"
    return AttemptForm(
        uid=uuid.uuid4().hex,
        callback_id=card.callback_id,
        generation=card.lease.generation if card.lease else 0,
        disposition=disposition,
        number=card.number,
        started_at=now - timedelta(seconds=90),
        ended_at=now,
        note=note,
        items=items,
    )


def figures(context: Context) -> None:
    """The figures of the story's day, as the command `day` prints them."""
    from crisisdesk.cli.main import make_parser

    chapter(context, _("The figures of the day"))
    arguments = make_parser(["day"]).parse_args(["day"])
    arguments.run(arguments, context)
