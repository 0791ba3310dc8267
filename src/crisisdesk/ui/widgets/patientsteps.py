"""What is done to a person's file in one or two steps: a field corrected, a number added, a death told of."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from textual import on

from crisisdesk.desk.conflicts import LABELS, Conflict
from crisisdesk.desk.patientfields import VOICEMAIL_WORDS
from crisisdesk.desk.patients import (
    add_phone,
    confirm_death,
    correct_field,
    refute_death,
    report_death,
    set_voicemail,
)
from crisisdesk.domain.person import PatientFile
from crisisdesk.domain.words import Voicemail
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import _, ngettext
from crisisdesk.ui.format import show_date
from crisisdesk.ui.widgets.bothversions import BothVersions
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import tell

_CORRECTED = ("last_name", "first_name", "birth", "niss", "contact_note", "language", "voicemail")
"""Fields, in the order in which they are offered."""


class EntryLine(Form):
    """One line that is there only while something is asked."""

    DEFAULT_CSS = """
    EntryLine { display: none; }
    EntryLine.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(Field("text", "", help=_("Enter stores it, Esc leaves it as it was.")), id="entry")
        self._then: Callable[[str], None] = lambda _text: None

    def ask(self, label: str, value: str, then: Callable[[str], None]) -> None:
        """Open with a label and what stands there now; Enter gives what was typed."""
        field = self["text"]
        field.label, field.label_width = label, len(label)
        field.value, field.cursor_position = value, len(value)
        self._then = then
        self.set_class(True, "-shown")
        field.focus()

    def close(self) -> bool:
        """Leave it; False where it was not open."""
        was_shown = self.has_class("-shown")
        if was_shown:
            self.set_class(False, "-shown")
            self.screen.query_one("#facts").focus()
        return was_shown

    @on(Form.Completed)
    def line_typed(self, event: Form.Completed) -> None:
        """Enter: what stands in the line."""
        event.stop()
        text = self["text"].value.strip()
        self.close()
        self._then(text)


class FileScreen(Protocol):
    """What a file's screen gives to its steps."""

    patient_id: int
    file: PatientFile | None

    def action_reload(self, _done: object = None) -> None:
        """Read the file again."""


class Corrections:
    """Fields of the patient, one at a time; the old value stays in the journal."""

    def __init__(self, screen: "DeskScreen", entry: EntryLine, versions: BothVersions) -> None:
        self._screen, self._entry, self._versions = screen, entry, versions

    @property
    def _of(self) -> FileScreen:
        return self._screen  # type: ignore[return-value]  # the one screen that has these steps

    def add_phone(self, text: str = "", why: str = "") -> None:
        """Ask for a number; what cannot be read comes back with the reason."""
        self._entry.ask(_("New number"), text, self._add_phone)
        if why:
            self._screen.warn(why)

    def _add_phone(self, text: str) -> None:
        def failed(error: CrisisDeskError) -> None:
            self.add_phone(text, str(error))

        if text:
            self._screen.write(add_phone, self._of.patient_id, text, then=self._of.action_reload, failed=failed)

    def choose(self) -> None:
        """Which field."""
        choices = [Choice(name, _(LABELS[name]), str(place)) for place, name in enumerate(_CORRECTED, 1)]
        self._screen.app.push_screen(ChoiceScreen(_("Correct"), choices), self._chosen)

    def _chosen(self, name: str | None) -> None:
        file, session = self._of.file, self._screen.session
        if name is None or file is None:
            return
        seen = file.birth_on if name == "birth" else getattr(file, name)
        if name == "voicemail":
            voices = [
                Choice(one.value, _(words), str(at)) for at, (one, words) in enumerate(VOICEMAIL_WORDS.items(), 1)
            ]
            self._pick(_("Voicemail"), voices, file.voicemail, lambda code: self._set_voicemail(code, seen))
        elif name == "language":
            spoken = [
                Choice(code, session.label("language", code), code[:1]) for code in session.reference.desk.languages
            ]
            self._pick(_("Language"), spoken, file.language, lambda code: self._store("language", code, seen))
        else:
            known = {"birth": show_date(file.birth_on), "niss": ""}
            self._ask(name, known[name] if name in known else str(seen), seen)

    def _pick(self, title: str, choices: list[Choice], current: str, then: Callable[[str], None]) -> None:
        def picked(code: str | None) -> None:
            if code is not None:
                then(code)

        self._screen.app.push_screen(ChoiceScreen(title, choices, current or None), picked)

    def _ask(self, name: str, text: str, seen: Any) -> None:
        self._entry.ask(_(LABELS[name]), text, lambda typed: self._store(name, typed, seen))

    def _store(self, name: str, text: str, seen: Any) -> None:
        """``seen``: what stood in the field when it was opened, or what the agent decided to write over."""

        def back() -> None:
            if name != "language":
                self._ask(name, text, seen)

        def failed(error: CrisisDeskError) -> None:
            if isinstance(error, Conflict):
                self._versions.ask(
                    error, lambda mine: self._decided(name, mine, partial(self._store, name, text)), back
                )
            else:
                back()
                self._screen.warn(str(error))

        if name == "niss" and not text:
            self._screen.say(_("The national number stays as it is."))
            return
        self._screen.write(correct_field, self._of.patient_id, name, text, seen=seen, then=self._stored, failed=failed)

    def _decided(self, name: str, mine: Mapping[str, Any], store: Callable[[Any], None]) -> None:
        if name in mine:
            store(mine[name])
        else:
            self._of.action_reload()
            self._screen.say(_("Theirs stays. Nothing was written."))

    def _set_voicemail(self, code: str, seen: Any) -> None:
        def failed(error: CrisisDeskError) -> None:
            if isinstance(error, Conflict):
                again = partial(self._set_voicemail, code)
                self._versions.ask(error, lambda mine: self._decided("voicemail", mine, again), lambda: None)
            else:
                tell(self._screen, error, lambda: self._set_voicemail(code, seen))

        self._screen.write(
            set_voicemail, self._of.patient_id, Voicemail(code), seen=seen, then=self._stored, failed=failed
        )

    def _stored(self, changed: Mapping[str, list[object]]) -> None:
        if changed:
            self._of.action_reload()
            self._screen.done(_("Corrected. The old value stays in the journal."))
        else:
            self._screen.say(_("Nothing was different."))


class DeathSteps:
    """Report, confirm, refute."""

    def __init__(self, screen: "DeskScreen", entry: EntryLine) -> None:
        self._screen, self._entry = screen, entry

    @property
    def _of(self) -> FileScreen:
        return self._screen  # type: ignore[return-value]  # the one screen that has these steps

    def choose(self) -> None:
        """The next step, by how far it has come."""
        file = self._of.file
        if file is None:
            return
        if not file.death_reported_at:
            question = _("Is {name} said to have died? All callbacks stop at once.").format(name=file.name)
            self._confirm(question, report_death, self._reported)
            return
        steps = [Choice("refute", _("the person is alive: take it back"), "2")]
        if not file.is_death_confirmed or file.callbacks:  # somebody asked for a call since it was confirmed
            steps.insert(0, Choice("confirm", _("confirm, as second agent"), "1"))
        self._screen.app.push_screen(ChoiceScreen(_("Death reported"), steps), self._chosen)

    def _confirm(self, question: str, step: Callable[..., list[int]], then: Callable[[list[int]], None]) -> None:
        self._screen.confirm(question, lambda: self._screen.write(step, self._of.patient_id, then=then))

    def _chosen(self, step: str | None) -> None:
        file = self._of.file
        if step == "refute":
            self._entry.ask(_("How do you know?"), "", self._refute)
        elif step == "confirm" and file:
            question = _("Confirm that {name} has died? All callbacks close.").format(name=file.name)
            self._confirm(question, confirm_death, self._confirmed)

    def _refute(self, why: str) -> None:
        self._screen.write(refute_death, self._of.patient_id, why=why, then=self._refuted)

    def _reported(self, stopped: list[int]) -> None:
        count = len(stopped)
        self._tell(
            ngettext(
                "{count} callback stopped. A second agent confirms.",
                "{count} callbacks stopped. A second agent confirms.",
                count,
            ).format(count=count)
        )

    def _confirmed(self, closed: list[int]) -> None:
        count = len(closed)
        words = ngettext("{count} callback closed.", "{count} callbacks closed.", count).format(count=count)
        self._tell(_("Death confirmed.") + " " + words)

    def _refuted(self, resumed: list[int]) -> None:
        count = len(resumed)
        words = ngettext("{count} callback may be rung again.", "{count} callbacks may be rung again.", count)
        self._tell(words.format(count=count))

    def _tell(self, words: str) -> None:
        self._of.action_reload()
        self._screen.done(words)
