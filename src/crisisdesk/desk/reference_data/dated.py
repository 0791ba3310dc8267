"""What holds from a day or an hour on: openings of services, and instructions that are read out."""

from datetime import UTC, date
from typing import Any

from crisisdesk.desk.reference_data.folder import Folder, sites_of
from crisisdesk.desk.reference_data.instructed import put_in_order, read_words
from crisisdesk.desk.reference_data.source import Entry
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.i18n import _


def read_openings(folder: Folder) -> None:
    source = folder.open("openings.toml")
    for entry in source.blocks("opening"):
        opens_on = entry.day("from")
        row = {
            "stage": entry.choice("stage", OpeningStage),
            "state": entry.choice("state", OpeningState),
            "opens_on": opens_on,
            "capacity_a_day": entry.whole("capacity_a_day", None),
            "reason": entry.text("reason", ""),
            "until_on": _until(entry, opens_on),
            "includes_days_off": entry.flag("days_off"),
            "rooms": entry.whole("rooms", None, least=1),
            "limits": _limits(folder, entry),
        }
        folder.rows["opening"] += [{"service_id": service_id, **row} for service_id in _opened_services(folder, entry)]
        entry.finish()


def _until(entry: Entry, opens_on: date | None) -> date | None:
    until_on = entry.day("until", None)
    if until_on and opens_on and until_on < opens_on:
        entry.blame("until", _("must not be earlier than 'from'"))
    return until_on


def _limits(folder: Folder, entry: Entry) -> dict[str, int]:
    """Places a day for those who need something that is short, by its code in limits.toml."""
    known = {row["code"] for row in folder.rows["capacity_limit"]}
    limits: dict[str, int] = {}
    for code, count in (entry.get("limits", dict, {}) or {}).items():
        if code not in known:
            entry.blame("limits", _("there is no limit '{code}' in limits.toml").format(code=code))
        elif type(count) is not int or count < 0:
            entry.blame("limits", _("'{code}' needs a whole number of places a day, 0 or more").format(code=code))
        else:
            limits[code] = count
    return limits


def _opened_services(folder: Folder, entry: Entry) -> list[int]:
    sites = sites_of(folder, entry)
    if entry.values.get("services") == "all":
        entry.text("services")
        chosen = [number for (site_id, _code), number in folder.service_ids.items() if site_id in sites]
        return [number for number in chosen if number not in folder.protected_ids]
    found = []
    for code in entry.texts("services"):
        for site_id in sites:
            if (number := folder.service_ids.get((site_id, code))) is None:
                entry.blame("services", _("{site} has no service '{code}'").format(site=site_id, code=code))
            else:
                found.append(number)
    return found


def read_instructions(folder: Folder) -> None:
    source = folder.open("instructions.toml")
    topics = {row["code"] for row in folder.rows["topic"]}
    for entry in source.blocks("instruction"):
        topic, service = entry.text("topic", "") or None, entry.text("service", "")
        if topic and topic not in topics:
            entry.blame("topic", _("there is no topic '{code}' in topics.toml").format(code=topic))
        start, end = entry.instant("from"), entry.instant("until", None)
        if start and end and end <= start:
            entry.blame("until", _("must be later than 'from'"))
        row = {
            "topic": topic,
            **read_words(entry, folder.languages),
            "issued_by": entry.text("issued_by"),
            "valid_from": start and start.astimezone(UTC),
            "valid_until": end and end.astimezone(UTC),
        }
        folder.rows["instruction"] += [{**row, **place} for place in _instructed_places(folder, entry, service)]
        entry.finish()
    folder.rows["instruction"] = put_in_order(folder.rows["instruction"])


def _instructed_places(folder: Folder, entry: Entry, service: str) -> list[dict[str, Any]]:
    """Where an instruction holds. For all sites it is one row without a site, unless it is about a service."""
    is_everywhere = entry.values.get("sites") == "all"
    sites = sites_of(folder, entry)
    if not service:
        return [{"site_id": site_id, "service_id": None} for site_id in ([None] if is_everywhere else sites)]
    places = [(site_id, folder.service_ids.get((site_id, service))) for site_id in sites]
    for site_id, number in places:
        if number is None and not is_everywhere:
            entry.blame("service", _("{site} has no service '{code}'").format(site=site_id, code=service))
    return [{"site_id": site_id, "service_id": number} for site_id, number in places if number is not None]
