"""What stands beside the form of a call: the way out of a red flag, the reference to be read out; and what was
understood of a field, to its right."""

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.callform import RecordedCall
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.redflags import way_out_card
from crisisdesk.domain.wishes import DayHours, Wish, describe_wish, read_wish
from crisisdesk.domain.words import Scope, WayOut
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_age, show_date
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.callfields import Links
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.line import Line


class WayOutPanel(Static):
    """The way out of a red flag, as large as a terminal allows."""

    DEFAULT_CSS = """
    WayOutPanel { height: auto; max-height: 10; display: none; border-left: thick $warning; padding-left: 1; }
    WayOutPanel.-shown { display: block; }
    """

    def show_flag(self, code: str, site_id: str | None, session: Session, width: int) -> Content:
        """Show where a flag leads, or nothing; gives the words of the form's own line, its label ``width`` wide."""
        self.set_class(bool(code), "-shown")
        if not code:
            return Content.assemble((" " + _("Red flag").ljust(width) + " ", "$text-muted"), _("none  (F9)"))
        card = way_out_card(session.reference, code, site_id, session.language)
        headline = card.headline.upper() if card.way_out == WayOut.EMERGENCY else card.headline
        parts = [inert(headline, tone="bold reverse $warning"), inert(card.line)]
        if not card.is_signed_off:
            parts.append(Content(_("Provisional wording, not signed off.")))
        self.update(Content("\n").join(parts))
        label = "▌" + _("RED FLAG").ljust(width) + " "
        return Content.assemble((label, "bold $warning"), inert(card.sign, tone="bold"))


class FlagLine(Line):
    """The form's own line about the red flag."""

    DEFAULT_CSS = "FlagLine { height: 1; }"

    def __init__(self, links: Links, session: Session) -> None:
        super().__init__(id="flag")
        self._links, self._session = links, session
        self._site_id: str | None = None

    def show(self, site_id: str | None) -> None:
        """Show the flag here, and its way out for a site in the panel beside."""
        self._site_id = site_id
        panel = self.screen.query_one(WayOutPanel)
        width = self.screen.query(Field).first().label_width
        self.left = panel.show_flag(self._links.red_flag, site_id, self._session, width)

    def ask(self, then: Callable[[], None]) -> None:
        """Ask which sign it is; "none" takes a flag away."""
        flags = self._session.reference.red_flags.values()
        choices = [Choice(flag.code, self._session.label("red_flag", flag.code), flag.key) for flag in flags]
        none = [Choice("none", _("no red flag"), "0")] if self._links.red_flag else []

        def picked(code: str | None) -> None:
            if code is not None:
                self._links.red_flag = "" if code == "none" else code
                self.show(self._site_id)
                then()

        title, current = _("Red flag"), self._links.red_flag or None
        self.app.push_screen(ChoiceScreen(title, [*none, *choices], current), picked)


class SpokenPanel(Static):
    """The reference of the call that was just stored, large, to be read out."""

    DEFAULT_CSS = """
    SpokenPanel { height: auto; display: none; border-left: thick $accent; padding-left: 1; }
    SpokenPanel.-shown { display: block; }
    """

    def show_call(self, saved: RecordedCall) -> None:
        """Show what the caller should write down."""
        large = "  " + " ".join(saved.reference) + "  "
        lines = [Content(_("Saved. Read out:")), Content.styled(large, "bold reverse $accent")]
        if saved.proof:
            lines.append(Content.assemble(_("Words for next time: "), inert(saved.proof, tone="bold")))
        self.update(Content("\n").join(lines))
        self.set_class(True, "-shown")

    def clear(self) -> None:
        """The next caller is on the line."""
        self.set_class(False, "-shown")


def ask_quick(screen: DeskScreen, then: Callable[[str], None]) -> None:
    """Ask which kind of no call it was; ``then`` gets the code."""
    session = screen.session
    rows = [row for row in session.reference.dispositions_of(Scope.INBOUND) if row.is_quick]
    choices = [Choice(row.code, session.label("disposition.inbound", row.code), row.key) for row in rows]

    def picked(code: str | None) -> None:
        if code is not None:
            then(code)

    screen.app.push_screen(ChoiceScreen(_("Not a call"), choices), picked)


def remark_on(form: Form, name: str, session: Session, *, in_person: bool = False) -> None:
    """Say to the right of a field what was understood of it.

    Args:
        in_person: the agent promised to ring back in person.
    """
    if name == "phone":
        form["phone"].remark(_phone_words(form["phone"].value, session))
    elif name == "birth":
        words, is_wrong = _birth_words(form["birth"].value.strip(), session)
        form["birth"].remark(words, wrong=is_wrong)
    elif name == "wish":
        words, is_wrong = _wish_words(form["wish"].value.strip(), session)
        form["wish"].remark(" · ".join(filter(None, (_("by me") if in_person else "", words))), wrong=is_wrong)
    elif form[name].is_wrong and name not in {"caller_kind", "language", "site", "topic", "disposition", "voicemail"}:
        form[name].remark("")


def _phone_words(text: str, session: Session) -> str:
    from crisisdesk.domain.phone import group_phone, read_phones

    if len(text.strip()) < 6:
        return ""
    read = read_phones(text, session.home_region)
    number = next(iter(read.certain + read.guessed), None)
    if number is None:
        return ""
    grouped = group_phone(number, session.home_region)
    sites = session.reference.sites.values()
    area = next((site.name for site in sites if site.phone_prefix and grouped.startswith(site.phone_prefix)), "")
    return " · ".join(part for part in (grouped if read.certain else _("guessed: ") + grouped, area) if part)


def _birth_words(text: str, session: Session) -> tuple[str, bool]:
    today = clock.local_day(session.now(), session.zone)
    day = read_typed_date(text, today) if len(text) >= 6 else None
    if day is None or day > today:
        is_wrong = len(text) >= 8
        return (_("no past date") if is_wrong else ""), is_wrong
    return f"{show_date(day)} · {show_age(day, session)}", False


def _wish_words(text: str, session: Session) -> tuple[str, bool]:
    if not text:
        return "", False
    desk = session.reference.desk
    wish = read_wish(text, now=session.now(), hours=DayHours(desk.time_zone, desk.calls_from, desk.calls_until))
    if not wish.is_understood:
        return _("kept as words"), True
    return _span_words(wish, desk.time_zone) or describe_wish(wish, zone=desk.time_zone), False


def _span_words(wish: Wish, zone: str) -> str:
    """A span of one day, short enough to stand beside its field: "01/06 08-12 h"; empty for other wishes."""
    if wish.not_before is None or wish.until is None:
        return ""
    start, end = clock.to_local(wish.not_before, zone), clock.to_local(wish.until, zone)
    if start.date() != end.date():
        return ""
    first, last = (f"{at:%H:%M}".removesuffix(":00") for at in (start, end))
    return f"{start:%d/%m} {first}-{last} h"
