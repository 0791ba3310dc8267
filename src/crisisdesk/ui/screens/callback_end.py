"""The lower part of a callback's card: one key a disposition, its few fields, and what follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.attempts import AttemptForm, NextPreview, needs_date, preview
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.wishes import DayHours, Wish, read_wish
from crisisdesk.domain.words import MayTell, Scope
from crisisdesk.i18n import _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.callback_view import key_grid
from crisisdesk.ui.screens.settling import (
    DAYS,
    IN_PERSON,
    MOMENT,
    NOTE,
    SLOT,
    accepting,
    chosen_words,
    fill_again,
    is_in_person,
    settling_fields,
    short_notice,
    slots_from,
)
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

if TYPE_CHECKING:
    from crisisdesk.ui.autosave import Autosave
    from crisisdesk.ui.widgets.readout import ReadOut


class EndPanel(Vertical):
    """How the attempt ended, as far as it is chosen and typed."""

    DEFAULT_CSS = """
    EndPanel { height: auto; }
    EndPanel #dispositions { height: auto; max-height: 8; }
    EndPanel #next { height: auto; max-height: 5; }
    """

    def __init__(self) -> None:
        super().__init__(id="ends")
        self.chosen: Disposition | None = None
        self.card: CallbackCard | None = None
        self.rows: Mapping[str, Disposition] = {}
        """The keys as they stand on the screen."""
        self.urgent = Content("")
        """What is done while the patient is on the line; it stays in sight when the ending is stored."""
        self._shown: Reference | None = None
        self._draft: Autosave | None = None
        self._form: Form | None = None

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
        """The fields that are shown, if any; not those that are just going."""
        return self._form

    def values(self) -> Mapping[str, str]:
        """What the fields mean."""
        return form.values() if (form := self.form) is not None else {}

    def reset(self, card: CallbackCard | None, *, with_keys: bool) -> None:
        """Nothing chosen, no fields; the keys, where something can be chosen."""
        self.card, self.chosen, self.urgent = card, None, Content("")
        self._remove_form()
        self._shown = self.frame.session.reference
        may_tell = card is not None and card.may_tell == MayTell.NAMED
        rows = [row for row in self._shown.dispositions_of(Scope.ATTEMPT) if may_tell or not row.needs_permission]
        self.rows = {row.key: row for row in rows} if with_keys else {}
        grid = key_grid(rows, self.frame.session, self.app.size.width) if with_keys else Content("")
        self.query_one("#dispositions", Static).update(grid)
        self.query_one("#dispositions").display = True
        self.query_one("#next").display = False

    def put_away(self) -> None:
        """Something else is asked: neither keys nor fields."""
        self.reset(self.card, with_keys=bool(self.rows))
        self.query_one("#dispositions").display = False

    def renew_rules(self) -> None:
        """A supervisor has changed a rule: keys, fields and what follows say what holds now."""
        now = self.frame.session.reference
        if self.card is None or self._shown is None or self._shown.version == now.version:
            self._shown = now
            return
        chosen, typed = self.chosen, self.texts()
        self.reset(self.card, with_keys=bool(self.rows))
        self.frame.say(_("A supervisor changed the rules: the keys show what holds now."))
        row = self.frame.session.reference.dispositions.get((Scope.ATTEMPT, chosen.code)) if chosen else None
        if row is not None:
            self.choose(row, self._draft)
            if (form := self.form) is not None:
                fill_again(form, typed)

    def choose(self, row: Disposition, draft: "Autosave | None") -> None:
        """Take a disposition: its fields, if it has any, and what follows."""
        if self.card is None:
            return
        self.chosen, self._draft, self.urgent = row, draft, Content("")
        self._remove_form()
        fields = settling_fields(row, self.card, self.frame.session)
        self.query_one("#dispositions").display = not fields
        if fields:
            self._ask(fields, draft)
        self.preview()
        self.frame.refresh_bindings()
        if draft is not None:
            draft.touched()

    def accept(self, digit: int | None, draft: "Autosave | None") -> bool:
        """A digit on the card: the day offered under that number is accepted; False where there is none."""
        if self.card is None or digit is None:
            return False
        found = accepting(self.card, digit, self.frame.session)
        if found is None:
            return False
        row, texts = found
        self.choose(row, draft)
        if (form := self.form) is not None:
            form.fill(texts)
        self.preview()
        return True

    def filled(self, lease: Lease, uid: str, started_at: datetime, read: "ReadOut") -> AttemptForm:
        """The attempt as it stands on the screen; something is chosen."""
        assert self.card is not None
        assert self.chosen is not None
        values, session = self.values(), self.frame.session
        return AttemptForm(
            uid=uid, callback_id=self.card.callback_id, generation=lease.generation, disposition=self.chosen.code,
            number=self.card.number, started_at=started_at, ended_at=session.now(), note=values.get(NOTE, ""),
            asked=self.asked(), items=slots_from(values, self.card, session),
            days=values.get(DAYS, ""), short_notice=short_notice(values),
            in_person=is_in_person(self.form), instruction_id=read.instruction_id, was_read_out=read.was_read_out,
        )  # fmt: skip

    def _remove_form(self) -> None:
        self._form = None
        for form in self.query(Form):
            form.remove()

    def _ask(self, fields: list[Field], draft: "Autosave | None") -> None:
        form = self._form = Form(*fields)
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
            booked = self.booked_words(with_reason=True)
            words = f"{booked} {words}" if booked else _("Type the number of a day, a day, or s: left to the service.")
        self.urgent = inert("! " + seen.act_now, 240, tone="bold $warning") if seen.act_now else Content("")
        self.query_one("#next").display = True
        self.query_one("#next", Static).update(
            Content.assemble(
                *((self.urgent, "\n") if seen.act_now else ()),
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

    def booked_words(self, *, with_reason: bool = False) -> str:
        """The days that are chosen so far, said as they will be booked; why no earlier day, where it is asked."""
        if self.card is None:
            return ""
        return chosen_words(self.values(), self.card, self.frame.session, with_reason=with_reason)

    def texts(self) -> dict[str, str]:
        """What a draft keeps: which callback, what was chosen, what was typed."""
        if self.card is None or self.chosen is None:
            return {}
        typed = form.texts() if (form := self.form) is not None else {}
        if is_in_person(form):
            typed[IN_PERSON] = "1"
        return {"callback_id": str(self.card.callback_id), "disposition": self.chosen.code, **typed}
