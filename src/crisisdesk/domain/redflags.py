"""Where a red flag sends the caller. An agent never weighs a sign: the words are noted, the way out is said."""

from dataclasses import dataclass

from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import WayOut
from crisisdesk.i18n import _


@dataclass(frozen=True, slots=True)
class WayOutCard:
    """What the screen shows large, line by line, once a flag is set."""

    way_out: WayOut
    sign: str
    headline: str
    line: str
    is_signed_off: bool
    """A medical director signed this wording."""


def way_out_card(reference: Reference, code: str, site_id: str | None, language: str) -> WayOutCard:
    """The way out of a flag for a site. ``code`` must be one of the reference data's flags.

    Source of the three ways: the group's own notice to patients (GP first, 1733 in the evening and at weekends,
    emergency
    department for clinical deterioration); 112 stays with the caller on the line.
    """
    flag = reference.red_flags[code]
    site = reference.sites.get(site_id or "")
    lines = {
        WayOut.EMERGENCY: _("Keep the caller on the line until 112 answers. Note the exact words; do not reassure."),
        WayOut.URGENT_CARE: _("Say it as it stands. If the caller refuses or doubts: on-call clinician of the site."),
        WayOut.ON_CALL: _on_call(site.name if site else "", site.on_call_phone if site else ""),
    }
    return WayOutCard(
        way_out=flag.way_out,
        sign=reference.label("red_flag", code, language),
        headline=reference.label("way_out", flag.way_out.value, language),
        line=lines[flag.way_out],
        is_signed_off=bool(flag.signed_off_by),
    )


def _on_call(site: str, phone: str) -> str:
    if site and phone:
        return _("Pass the call on now: on-call clinician {site}, {phone}.").format(site=site, phone=phone)
    if site:
        return _(
            "Pass the call on now: on-call clinician {site}; the number is not known here, ask the supervisor."
        ).format(site=site)
    return _("Choose the site, then pass the call on to its on-call clinician.")
