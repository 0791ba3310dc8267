"""The desk itself, its hospitals, what they offer, and the holidays of its country."""

import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from crisisdesk.desk.reference_data.folder import Folder, sites_of
from crisisdesk.desk.reference_data.source import CODE, Entry
from crisisdesk.domain.words import Channel, ServiceKind
from crisisdesk.i18n import _

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NATIONAL_NUMBERS = ("be.ssn", "fr.nir", "nl.bsn", "none")


def read_desk(folder: Folder) -> None:
    source = folder.open("desk.toml")
    entry = Entry(source, (), {key: value for key, value in source.values.items() if key not in ("hours", "queue")})
    folder.languages = entry.texts("languages") or ["en"]
    for language in folder.languages:
        if not (2 <= len(language) <= 3 and language.isalpha() and language.islower()):
            entry.blame("languages", _("'{code}' is no language code such as fr").format(code=language))
    incident_at = entry.instant("incident_at")
    row = {
        "id": 1,
        "name": entry.text("name"),
        "incident": entry.text("incident"),
        "incident_at": incident_at.astimezone(UTC) if incident_at else None,
        "country": _region(entry, "country", entry.text("country")),
        "time_zone": _zone(entry),
        "languages": folder.languages,
        "national_number": _national_number(entry),
        "public_number": entry.text("public_number", ""),
        "neighbour_regions": [
            _region(entry, "neighbour_regions", code) for code in entry.texts("neighbour_regions", [])
        ],
        **_hours(Entry(source, ("hours",), source.values.get("hours", {}))),
        **_queue_rules(Entry(source, ("queue",), source.values.get("queue", {}))),
    }
    row["holidays"] = _holidays(folder, str(row["country"]))
    entry.finish()
    folder.rows["desk"] = [row]


def _region(entry: Entry, key: str, code: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    if code and code not in SUPPORTED_REGIONS:
        entry.blame(key, _("'{code}' is no country code such as BE").format(code=code))
    return code


def _zone(entry: Entry) -> str:
    name = entry.text("time_zone")
    try:
        zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        entry.blame("time_zone", _("'{name}' is no time zone such as Europe/Brussels").format(name=name))
    return name


def _national_number(entry: Entry) -> str:
    kind = entry.text("national_number", "none")
    if kind not in NATIONAL_NUMBERS:
        entry.blame("national_number", _("must be one of: {words}").format(words=", ".join(NATIONAL_NUMBERS)))
    return kind


def _hours(entry: Entry) -> dict[str, Any]:
    calls_from, calls_until = entry.get("from", time, ...) or time(8), entry.get("until", time, ...) or time(20)
    if calls_from >= calls_until:
        entry.blame("until", _("must be later than 'from'"))
    days = entry.texts("weekdays")
    for day in days:
        if day not in WEEKDAYS:
            entry.blame("weekdays", _("'{day}' is none of: {words}").format(day=day, words=", ".join(WEEKDAYS)))
    entry.finish()
    weekdays = sorted({WEEKDAYS.index(day) for day in days if day in WEEKDAYS})
    return {"calls_from": calls_from, "calls_until": calls_until, "call_weekdays": weekdays}


def _queue_rules(entry: Entry) -> dict[str, Any]:
    rules: dict[str, Any] = {
        "lease_seconds": 60 * entry.whole("lease_minutes", least=1),
        "rest_seconds": 60 * entry.whole("rest_minutes"),
        "attempts_per_number_a_day": entry.whole("attempts_per_number_a_day", least=1),
        "attempts_in_all": entry.whole("attempts_in_all", least=1),
        "release_days_ahead": entry.whole("release_days_ahead", least=1),
        "release_reserve_percent": _percent(entry, "release_reserve_percent", 0),
        "channels": entry.texts("channels", list(Channel)),
        "channel_wait_seconds": 86_400 * entry.whole("channel_wait_days", 10),
        "undo_seconds": 60 * entry.whole("undo_minutes", 15),
        "absent_seconds": 60 * entry.whole("absent_minutes", 30, least=1),
        "idle_seconds": 60 * entry.whole("idle_minutes", 10, least=1),
        "session_seconds": 3600 * entry.whole("session_hours", 12, least=1),
        "near_limit_days": entry.whole("near_limit_days", 7, least=1),
        "coverage_alarm_percent": _percent(entry, "coverage_alarm_percent", 80),
    }
    for code in rules["channels"]:
        if code not in tuple(Channel):
            entry.blame("channels", _("'{word}' is none of: {words}").format(word=code, words=", ".join(Channel)))
    entry.finish()
    return rules


def _percent(entry: Entry, key: str, default: int) -> int:
    number: int = entry.whole(key, default)
    if number > 100:
        entry.blame(key, _("must be 0 to 100"))
    return number


def _holidays(folder: Folder, country: str) -> list[str]:
    source = folder.open("holidays.toml")
    found: list[str] = []
    for entry in source.tables():
        fixed, easter = entry.texts("fixed", []), entry.get("easter", list, [])
        for text in fixed:
            if not _is_month_day(text):
                entry.blame("fixed", _("'{text}' is no month-day such as 12-25").format(text=text))
        if not all(isinstance(days, int) and abs(days) <= 120 for days in easter):
            entry.blame("easter", _("must be whole numbers of days, such as 39"))
            easter = []
        entry.finish()
        if entry.where[-1] == country:
            found = [*fixed, *(f"easter{days:+d}" for days in easter)]
    if country and country not in source.values:
        source.blame((), _("has no table [{country}] for the country of desk.toml").format(country=country))
    return found


def _is_month_day(text: str) -> bool:
    try:
        return datetime.strptime(f"2000-{text}", "%Y-%m-%d").replace(tzinfo=UTC).strftime("%m-%d") == text
    except ValueError:
        return False


def read_sites(folder: Folder) -> None:
    source = folder.open("sites.toml")
    for entry in source.blocks("site"):
        code = entry.text("id")
        if not CODE.match(code):
            entry.blame("id", _("'{code}' is no code: small letters, digits and _ only").format(code=code))
        if code in folder.site_ids():
            entry.blame("id", _("'{code}' is there twice").format(code=code))
        folder.add(
            "site",
            id=code,
            name=entry.text("name"),
            hospital=entry.text("hospital", ""),
            postcode=entry.text("postcode", ""),
            phone=_phone(folder, entry),
            on_call_phone=entry.text("on_call_phone", ""),
            phone_prefix=entry.text("phone_prefix", ""),
            aliases=entry.texts("aliases", []),
        )
        entry.finish()
    if not folder.rows["site"]:
        source.blame((), _("needs at least one [[site]]"))


def _phone(folder: Folder, entry: Entry) -> str:
    """A number that agents give to callers: a slip in it would send them nowhere. Short numbers are let be."""
    import phonenumbers

    text, country = entry.text("phone", ""), folder.rows["desk"][0]["country"]
    if sum(letter.isdigit() for letter in text) <= 5 and text.isdigit():
        return text
    try:
        is_valid = not text or phonenumbers.is_valid_number(phonenumbers.parse(text, country))
    except phonenumbers.NumberParseException:
        is_valid = False
    if not is_valid:
        entry.blame("phone", _("'{text}' is no telephone number of {country}").format(text=text, country=country))
    return text


def read_services(folder: Folder) -> None:
    source = folder.open("services.toml")
    for entry in source.blocks("service"):
        code = entry.text("code")
        if not CODE.match(code):
            entry.blame("code", _("'{code}' is no code: small letters, digits and _ only").format(code=code))
        row = {
            "code": code,
            "kind": entry.choice("kind", ServiceKind),
            "name": entry.text("name"),
            "is_protected": entry.flag("protected"),
            "lead_days": entry.whole("lead_days", 0),
            "aliases": entry.texts("aliases", []),
        }
        for site_id in sites_of(folder, entry):
            _add_service(folder, entry, site_id, row)
        entry.finish()
    # In the order of the sites: a list of a site's services is then one run of ids.
    order = {site_id: at for at, site_id in enumerate(folder.site_ids())}
    services = sorted(folder.rows["service"], key=lambda row: (order.get(row["site_id"], 0), row["position"]))
    for number, row in enumerate(services, start=1):
        row.update(id=number, position=number)
        folder.service_ids[row["site_id"], row["code"]] = number
    folder.rows["service"] = services
    folder.protected_ids = {row["id"] for row in services if row["is_protected"]}


def _add_service(folder: Folder, entry: Entry, site_id: str, row: Mapping[str, Any]) -> None:
    if any((known["site_id"], known["code"]) == (site_id, row["code"]) for known in folder.rows["service"]):
        entry.blame("code", _("'{code}' is there twice for {site}").format(code=row["code"], site=site_id))
    else:
        folder.add("service", site_id=site_id, **row)
