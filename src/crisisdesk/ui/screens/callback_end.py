"""The lower part of a callback's card: one key a disposition, its few fields, and what follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.attempts import NextPreview, needs_date, preview
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.domain.reference import Disposition
from crisisdesk.domain.wishes import DayHours, Wish, read_wish
from crisisdesk.domain.words import Scope
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_day
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.callback_view import key_grid
from crisisdesk.ui.screens.settling import MOMENT, SLOT, settling_fields, slots_from
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

if TYPE_CHECKING:
    from crisisdesk.ui.autosave import Autosave

REASON = "reason"


class EndPanel(Vertical):
    """How the attempt ended, as far as it is chosen and typed."""

    DEFAULT_CSS = """
    EndPanel { height: auto; }
    EndPanel #dispositions { height: auto; max-height: 8; }
    EndPanel #next { height: auto; min-height: 1; max-height: 3; }
    """

    def __init__(self) -> None:
        super().__init__(id="ends")
        self.chosen: Disposition | None = None
        self.card: CallbackCard | None = None

    def compose(self) -> Iterable[Widget]:
        """Keys, then (when one is chosen) its fields, then what follows."""
        yield Static(id="dispositions")
        yield Static(id="next")

    @property
    def frame(self) -> DeskScreen:
        """The screen around it."""
        assert isinstance(self.screen, DeskScreen)
        return self.screen

    def more_help(self) -> Sequence[tuple[str, str]]:
        """For F1: the key of each ending, with its whole name."""
        session = self.frame.session
        rows = session.reference.dispositions_of(Scope.ATTEMPT)
        return [(row.key, session.label("disposition.attempt", row.code)) for row in rows]

    @property
    def form(self) -> Form | None:
        """The fields that are shown, if any."""
        found = self.query(Form)
        return found.first() if found else None

    def values(self) -> Mapping[str, str]:
        """What the fields mean."""
        return form.values() if (form := self.form) is not None else {}

    def reset(self, card: CallbackCard | None, *, with_keys: bool) -> None:
        """Nothing chosen, no fields; the keys, where something can be chosen."""
        self.card, self.chosen = card, None
        for form in self.query(Form):
            form.remove()
        session = self.frame.session
        rows = session.reference.dispositions_of(Scope.ATTEMPT)
        grid = key_grid(rows, session, self.app.size.width) if with_keys else Content("")
        self.query_one("#dispositions", Static).update(grid)
        self.query_one("#dispositions").display = True
        self.query_one("#next", Static).update(Content(""))

    def choose(self, row: Disposition, draft: "Autosave | None") -> None:
        """Take a disposition: its fields, if it has any, and what follows."""
        if self.card is None:
            return
        self.chosen = row
        for form in self.query(Form):
            form.remove()
        fields = settling_fields(row, self.card, self.frame.session)
        self.query_one("#dispositions").display = not fields
        if fields:
            self._ask(fields, draft)
        self.preview()
        if draft is not None:
            draft.touched()

    def ask_reason(self) -> None:
        """Ask why nobody was rung."""
        self.query_one("#dispositions").display = False
        self._ask([Field(REASON, _("Why was nobody rung?"), max_length=200)], None)

    def _ask(self, fields: list[Field], draft: "Autosave | None") -> None:
        form = Form(*fields)
        form.draft = draft
        self.mount(form, before="#next")
        self.screen.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it

    def preview(self) -> None:
        """Ask the desk what the chosen disposition would lead to."""
        if self.card is not None and self.chosen is not None:
            self.frame.read(
                preview, self.card.callback_id, self.chosen.code, number=self.card.number, asked=self.asked(),
                then=self._show_preview, group="preview", hold_keys=True,
            )  # fmt: skip

    def _show_preview(self, seen: NextPreview) -> None:
        if self.chosen is None:
            return
        label = self.frame.session.label("disposition.attempt", self.chosen.code)
        words = seen.words
        if seen.needs_moment and self.asked() is None:
            words = _("Type when: tomorrow morning, 03/06 14h ...")
        elif needs_date(self.chosen):
            words = f"{booked} {words}" if (booked := self.booked_words()) else _("Type the number of a day, or a day.")
        self.query_one("#next", Static).update(
            Content.assemble(
                inert(label, 80, tone="bold $accent"),
                " → ",
                inert(words, 200),
                ("   " + _("Enter stores"), "$text-muted"),
            )
        )

    @property
    def depends_on_fields(self) -> bool:
        """What is typed changes what follows."""
        return any(name == MOMENT or name.startswith(SLOT) for name in self.values())

    def asked(self) -> Wish | None:
        """The moment that the patient asked for, as far as it is understood."""
        text = self.values().get(MOMENT, "")
        if not text:
            return None
        session = self.frame.session
        desk = session.reference.desk
        wish = read_wish(text, now=session.now(), hours=DayHours(desk.time_zone, desk.calls_from, desk.calls_until))
        return wish if wish.is_understood else None

    def booked_words(self) -> str:
        """The days that are chosen so far, said as they will be booked."""
        if self.card is None:
            return ""
        found = slots_from(self.values(), self.card, self.frame.session).values()
        days = sorted({result.slot_on for result in found if result.slot_on is not None})
        return _("Booked: {days}.").format(days=", ".join(show_day(day) for day in days)) if days else ""

    def texts(self) -> dict[str, str]:
        """What a draft keeps: which callback, what was chosen, what was typed."""
        if self.card is None or self.chosen is None:
            return {}
        typed = form.texts() if (form := self.form) is not None else {}
        return {"callback_id": str(self.card.callback_id), "disposition": self.chosen.code, **typed}
