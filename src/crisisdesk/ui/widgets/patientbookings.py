"""The places that a patient was told, in the person's file; and what the patient asks of a day."""

from collections.abc import Iterable, Sequence

from crisisdesk.desk.asking import asked_by_patient, set_needs, set_reserve, set_wish
from crisisdesk.desk.booking import Asked
from crisisdesk.desk.diary import ToldLine
from crisisdesk.desk.slotwords import date_wish_words, limit_words
from crisisdesk.domain.datewish import DateWish
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_day
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.bookingsteps import CANCEL, MISSED, MOVE, BookingPanel
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.patientsteps import EntryLine, FileScreen
from crisisdesk.ui.widgets.table import Cell, Row

WORDS = "words"
"""Needs that follow the words of the list again."""


def told_rows(lines: Sequence[ToldLine], session: Session) -> Iterable[Row]:
    """A line "b:7" for each place that was told and still holds."""
    for line in lines:
        words = " · ".join(text for text in (show_day(line.slot_on), line.procedure, line.needs_words) if text)
        yield Row(f"b:{line.booking_id}", (_("date told"), Cell(words, "accent")))


class BookingChoices:
    """What Enter on a told date, or on a postponement, offers."""

    def __init__(self, screen: DeskScreen, entry: EntryLine, panel: BookingPanel) -> None:
        self._screen, self._entry, self._panel = screen, entry, panel
        self.told: dict[int, ToldLine] = {}
        self._asked, self._item = Asked(), 0

    @property
    def _of(self) -> FileScreen:
        return self._screen  # type: ignore[return-value]  # the one screen that has these steps

    def show(self, lines: Sequence[ToldLine]) -> None:
        """Keep the places that hold."""
        self.told = {line.booking_id: line for line in lines}

    def choose_told(self, booking_id: int) -> None:
        """Cancel, move, did not come."""
        line = self.told.get(booking_id)
        if line is None:
            return
        steps = [
            Choice(CANCEL, _("cancel this date"), "1"),
            Choice(MOVE, _("another day, agreed on the line"), "2"),
            Choice(MISSED, _("did not come"), "3"),
        ]

        def chosen(what: str | None) -> None:
            if what is not None and line is not None:
                self._panel.ask(what, line)

        self._screen.app.push_screen(ChoiceScreen(show_day(line.slot_on), steps), chosen)

    def choose_asked(self, postponement_id: int) -> None:
        """What the patient asks of a day: read first, so that it can be shown."""
        self._item = postponement_id
        self._screen.read(asked_by_patient, postponement_id, then=self._show_asked, group="asked", hold_keys=True)

    def _show_asked(self, asked: Asked) -> None:
        self._asked = asked
        reference = self._screen.session.reference
        wish = date_wish_words(asked.wish) or _("any day")
        notice = _("yes") if asked.is_reserve else _("no")
        needs = ", ".join(limit_words(code, reference) for code in asked.needs) or _("nothing special")
        steps = [
            Choice("wish", _("Days that suit: {words}").format(words=wish), "1"),
            Choice("reserve", _("At short notice: {words}").format(words=notice), "2"),
            Choice("needs", _("Takes one of: {words}").format(words=needs), "3"),
        ]
        self._screen.app.push_screen(ChoiceScreen(_("What the patient asks"), steps), self._asked_chosen)

    def _asked_chosen(self, what: str | None) -> None:
        if what == "wish":
            self._entry.ask(_("Days that suit"), self._asked.wish.words, self._set_wish)
        elif what == "reserve":
            self._screen.write(set_reserve, self._item, not self._asked.is_reserve, then=self._of.action_reload)
        elif what == "needs":
            self._choose_needs()

    def _set_wish(self, text: str) -> None:
        def stored(wish: DateWish) -> None:
            self._of.action_reload()
            self._screen.done(date_wish_words(wish) or _("Any day suits."))

        self._screen.write(set_wish, self._item, text, then=stored)

    def _choose_needs(self) -> None:
        limits = self._screen.session.reference.capacity_limits
        choices = [Choice(WORDS, _("as the words of the list say"), "0")]
        for place, code in enumerate(limits, 1):
            name = limit_words(code, self._screen.session.reference)
            words = _("not: {limit}") if code in self._asked.needs else _("takes one: {limit}")
            choices.append(Choice(code, words.format(limit=name), str(place)))
        self._screen.app.push_screen(ChoiceScreen(_("Takes one of"), choices), self._need_chosen)

    def _need_chosen(self, code: str | None) -> None:
        if code is None:
            return
        held = set(self._asked.needs)
        wanted = None if code == WORDS else sorted(held ^ {code})

        def store(reason: str) -> None:
            self._screen.write(set_needs, self._item, wanted, reason=reason, then=self._of.action_reload)

        self._entry.ask(_("Who decided, why"), "", store)
