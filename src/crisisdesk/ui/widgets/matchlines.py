"""The lines of the matches pane: people, what was postponed for them, where their callbacks stand."""

from collections.abc import Iterable, Iterator

from crisisdesk import clock
from crisisdesk.desk.handovers import taken_words
from crisisdesk.desk.linking import why_not_now, words_for
from crisisdesk.domain.matches import ItemLine, Matches, OpenCallback, PatientMatch
from crisisdesk.i18n import _, ngettext
from crisisdesk.ui.format import show_date, show_day, show_moment
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.callfields import Links
from crisisdesk.ui.widgets.table import Cell, Row

NEW = "new"
_MOST_ITEMS = 4


def match_rows(found: Matches, links: Links, session: Session) -> list[Row]:
    """Lines with ids "p:12" (patient), "i:5" (postponement), "c:7" (callback), "e:3" (earlier call), "new"; others
    only tell."""
    rows: list[Row] = []
    place = 0
    for match in found.matches:
        place += 1
        rows += _person(match, place, links, session)
    shown = {match.patient_id for match in (*found.matches, *found.on_this_number)}
    rows += [
        _line(f"p:{number}", f"✓ {name}", "accent") for number, name in links.patients.items() if number not in shown
    ]
    if found.on_this_number:
        rows.append(_line("h:number", _("Others on this number"), "muted"))
        for match in found.on_this_number:
            place += 1
            rows += _person(match, place, links, session)
    if found.earlier_calls:
        rows += list(_earlier(found, session))
    if not links.patients:
        rows.append(_line(NEW, _("+ new patient (nothing to do: save)"), "muted"))
    return rows


def _line(row_id: str, text: str, tone: str = "") -> Row:
    return Row(row_id, (Cell(text, tone),))


def _person(match: PatientMatch, place: int, links: Links, session: Session) -> Iterator[Row]:
    is_linked = match.patient_id in links.patients
    born = show_date(match.birth_on) or _("born ?")
    sign = "✓" if is_linked else "▸"
    name = match.name or _("(no name)")
    tone = "accent" if is_linked else "strong"
    yield _line(f"p:{match.patient_id}", f"{sign}{place} {_short(name, 14)} {born}", tone)
    if match.is_dead:
        yield _line(f"d:{match.patient_id}", "  " + _("⚠ death reported"), "warn")
    if against := [words for words, reason in zip(words_for(match), _last(match), strict=True) if reason]:
        yield _line(f"a:{match.patient_id}", "  ⚠ " + ", ".join(against), "warn")
    if match.is_provisional:
        yield _line(f"v:{match.patient_id}", "  " + _("provisional, from an earlier call"), "muted")
    for item in match.items[:_MOST_ITEMS]:
        yield _line(f"i:{item.postponement_id}", _item(item, item.postponement_id in links.items, session))
        if item.told_on:
            told = _("told {day}").format(day=show_day(item.told_on))
            yield _line(f"b:{item.postponement_id}", f"    ⇒ {told}", "strong")
        if item.handed_over:
            for place, words in enumerate(taken_words(item.handed_over, session.reference)):
                yield _line(f"w{place}:{item.postponement_id}", f"    {'⇒ ' if not place else '  '}{words}", "warn")
        if code := links.endings.get(item.postponement_id):
            yield _line(f"o:{item.postponement_id}", f"    = {session.label('disposition.item', code)}", "accent")
    if len(match.items) > _MOST_ITEMS:
        more = len(match.items) - _MOST_ITEMS
        words = ngettext("{count} more postponement", "{count} more postponements", more)
        yield _line(f"m:{match.patient_id}", "  " + words.format(count=more), "muted")
    for callback in match.callbacks:
        yield _callback(callback, callback.callback_id in links.settled, session)
    if match.last_call:
        when = show_moment(match.last_call.started_at, session)
        ending = session.label("disposition.inbound", match.last_call.disposition)
        yield _line(f"l:{match.patient_id}", f"  ☏ {when} {match.last_call.taken_by}: {ending}", "muted")


def _last(match: PatientMatch) -> Iterable[bool]:
    return sorted(reason.is_against for reason in match.reasons)


def _item(item: ItemLine, is_linked: bool, session: Session) -> str:
    what = item.procedure or item.service_name or session.label("service_kind", item.kind or "")
    day = item.planned_on or item.original_on
    said = _("said") if item.is_reported else item.priority or "?"
    when = f"{day:%d/%m}" if day else "--/--"
    site = session.site_name(item.site_id)[:5]
    return f"  {'✓' if is_linked else '·'} {_short(what, 10)} {site} {when} {said}"


def _callback(callback: OpenCallback, is_settled: bool, session: Session) -> Row:
    words = why_not_now(callback, now=session.now(), zone=session.zone)
    if is_settled:
        return _line(f"c:{callback.callback_id}", "  ✓ " + _("callback ends with this call"), "accent")
    return _line(f"c:{callback.callback_id}", f"  → {session.site_name(callback.site_id)[:6]} {words}", "warn")


def _earlier(found: Matches, session: Session) -> Iterator[Row]:
    count = found.calls_last_day
    if count > 1:
        words = ngettext("{count} call in 24 h", "{count} calls in 24 h", count).format(count=count)
        yield _line("h:repeat", f"⚠ {words}", "warn")
    yield _line("h:calls", _("Earlier calls from this number"), "muted")
    for call in found.earlier_calls:
        when = clock.to_local(call.started_at, session.zone)
        topic = session.label("topic", call.topic) if call.topic else call.words
        yield _line(f"e:{call.call_id}", f"  {when:%d/%m %H:%M} {call.caller_name} {topic}", "muted")


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
