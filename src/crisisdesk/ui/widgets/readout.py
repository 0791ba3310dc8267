"""Which version of an instruction stands on the screen, and which one was read out: the panel of a call, the card."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.cardinstruction import CardInstruction, instruction_of_card
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.instructions import InForce, InstructionText, instruction_now, spoken
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert, inert_line
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen

LONGEST = 2000
AT_MOST_AHEAD = timedelta(hours=12)


@dataclass
class ReadOut:
    """The version on the screen and the version that was read: a later one never takes its place by itself."""

    instruction_id: int | None = None
    """What a call or attempt stores: the version that was read out, else the one on the screen."""
    was_read_out: bool = False
    read_version: int | None = None
    shown: InstructionText | None = None

    def show(self, shown: InstructionText | None) -> bool:
        """Put another version on the screen; True where one stood there before and this is not it."""
        before, self.shown = self.shown, shown
        if not self.was_read_out:
            self.instruction_id = shown.instruction_id if shown else None
        elif shown is not None and shown.instruction_id == self.instruction_id:
            self.read_version = shown.version
        return before is not None and before.instruction_id != (shown.instruction_id if shown else None)

    @property
    def is_read(self) -> bool:
        """Whether what stands on the screen was read out."""
        return self.was_read_out and self.shown is not None and self.shown.instruction_id == self.instruction_id

    def toggle(self) -> bool:
        """Note that what stands on the screen was read out, or not after all; False where nothing stands there."""
        if self.shown is None:
            return False
        self.was_read_out = not self.is_read
        self.instruction_id, self.read_version = self.shown.instruction_id, self.shown.version
        return True


def changed_words(old: InstructionText | None, new: InstructionText | None, session: Session) -> str:
    """That another version holds, and since when."""
    if new is None:
        return _("The instruction has ended: none is in force here now.")
    is_later = old is None or new.valid_from >= old.valid_from
    since = new.valid_from if is_later else (old.valid_until if old else None) or session.now()
    return _("The instruction changed at {time}: version {version} holds now.").format(
        time=show_moment(since, session), version=new.version
    )


def in_languages(one: InstructionText, language: str, session: Session) -> list[tuple[str, str]]:
    """(language, words) to show: the caller's first, then the agent's own where they are others."""
    first = spoken(one, language, session.reference)
    found = [(first.language, first.words)]
    own = spoken(one, session.language, session.reference)
    if own.language != first.language and not own.is_fallback:
        found.append((own.language, own.words))
    return found


class Wake:
    """Looks again when another instruction begins or ends by time, without anybody writing to the desk."""

    def __init__(self, screen: DeskScreen, again: Callable[[], None]) -> None:
        self._screen, self._again = screen, again
        self._timer: Timer | None = None

    def at(self, instant: datetime | None) -> None:
        """Look again at an instant; an earlier appointment is dropped."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if instant is not None:
            ahead = min(max(instant - self._screen.session.now(), timedelta(0)), AT_MOST_AHEAD)
            self._timer = self._screen.set_timer(ahead.total_seconds() + 0.05, self._again)


class InstructionPanel(Static):
    """The instruction in force for the site and topic of the call, in the caller's language."""

    DEFAULT_CSS = "InstructionPanel { height: auto; max-height: 8; color: $text-muted; }"
    ROWS, ROWS_TALL = 8, 16

    def __init__(self, read_out: ReadOut) -> None:
        super().__init__(id="instruction")
        self.read_out = read_out
        self._language = self._change = ""
        self._place: tuple[str | None, str | None] = (None, None)
        self._wake: Wake | None = None
        self._drawn: Content | None = None

    def read_for(self, screen: DeskScreen, form: Form) -> None:
        """Find the instruction for the hospital and the topic that stand in a form, in the language of its caller."""
        site, topic = form.choice("site").code, form.choice("topic").code
        is_same_place, self._place = self._place == (site, topic), (site, topic)
        self._language = form.choice("language").code or ""
        self._wake = self._wake or Wake(screen, lambda: self.read_for(screen, form))
        if not is_same_place:
            self._change = ""

        def show(found: InForce) -> None:
            self._show(screen, found, is_same_place)

        if site is None and topic is None:
            show(InForce(None, None))
        else:
            screen.read(instruction_now, site_id=site, topic=topic, then=show, group="instruction")

    def _show(self, screen: DeskScreen, found: InForce, is_same_place: bool) -> None:
        before = self.read_out.shown
        if self.read_out.show(found.instruction) and is_same_place:
            self._change = changed_words(before, found.instruction, screen.session)
            screen.warn(self._change)
        if self._wake is not None:
            self._wake.at(found.changes_at)
        self._draw()

    def toggle_read(self) -> bool:
        """Note that it was read out, or not after all; False where there is none."""
        if not self.read_out.toggle():
            return False
        self._change = ""
        self._draw()
        return True

    def open_whole(self) -> bool:
        """Show every word of it over the call; False where there is none."""
        from crisisdesk.ui.screens.instruction_text import InstructionTextScreen

        if self.read_out.shown is not None:
            self.app.push_screen(InstructionTextScreen(self.read_out.shown, self._language))
        return self.read_out.shown is not None

    def on_resize(self) -> None:
        """Cut anew."""
        self._draw()

    def _draw(self) -> None:
        one = self.read_out.shown
        drawn = self._content(one) if one is not None and isinstance(self.screen, DeskScreen) else Content("")
        if drawn != self._drawn:  # the desk changes twice a second; the terminal only hears of what is new
            self._drawn = drawn
            self.update(drawn)

    def _content(self, one: InstructionText) -> Content:
        assert isinstance(self.screen, DeskScreen)
        session, width = self.screen.session, max(20, self.size.width)
        rows = self.ROWS if self.app.size.height < 30 else self.ROWS_TALL
        self.styles.max_height = rows
        parts = [Content.styled(line, tone) for line, tone in self._head(one, session, width)]
        texts = in_languages(one, self._language, session)
        first = wrap(inert_line(texts[0][1], LONGEST), width)
        room = rows - len(parts)
        parts += [Content(line) for line in _cut(first, room, width)]
        for language, words in texts[1:]:
            lines = wrap(inert_line(f"[{language}] {words}", LONGEST), width)
            if len(first) + 1 < room:
                parts += [Content.styled(line, "italic") for line in _cut(lines, room - len(first), width)]
        return Content("\n").join(parts)

    def _head(self, one: InstructionText, session: Session, width: int) -> list[tuple[str, str]]:
        read = _("✓ read out") if self.read_out.is_read else _("F12: was read out")
        head = [(_("Instruction v{version} · {read}").format(version=one.version, read=read), "bold")]
        if self.read_out.was_read_out and not self.read_out.is_read:
            words = _("⚠ changed; v{version} was read").format(version=self.read_out.read_version or "?")
            head.append((words, "bold $warning"))
        elif self._change:
            head.append(("⚠ " + self._change, "bold $warning"))
        if spoken(one, self._language, session.reference).is_fallback:
            head.append((_("no words in: {language}").format(language=session.label("language", self._language)), ""))
        return [(line, tone) for words, tone in head for line in wrap(words, width)]


def _cut(lines: list[str], room: int, width: int) -> list[str]:
    """As many lines as there is room for; a last one that says that there is more."""
    if len(lines) <= room:
        return lines
    return [*lines[: room - 1], _("… more: ^O").rjust(width)[:width]]


class CardReading:
    """What is read out on the card of a callback: looked at again when the desk or the hour changes it."""

    def __init__(self, screen: DeskScreen, redraw: Callable[[CardInstruction], None]) -> None:
        self._screen, self._redraw = screen, redraw
        self._callback_id = 0
        self._now: CardInstruction | None = None
        self._wake = Wake(screen, self.look)
        self.read_out = ReadOut()

    def begin(self, card: CallbackCard) -> None:
        """Another card is open; nothing of it was read out yet."""
        self.read_out, self._callback_id, self._now = ReadOut(), card.callback_id, card.reading
        self.read_out.show(card.instruction)
        self._wake.at(card.reading.changes_at)

    def look(self) -> None:
        """Read again what is in force; does nothing while no card is open."""
        if self._callback_id:
            self._screen.read(instruction_of_card, self._callback_id, then=self._seen, group="instruction")

    def _seen(self, found: CardInstruction | None) -> None:
        if found is None or found == self._now:
            return
        before, self._now = self.read_out.shown, found
        self._wake.at(found.changes_at)
        if self.read_out.show(found.to_read):
            self._screen.warn(changed_words(before, found.to_read, self._screen.session))
        self._redraw(found)

    def toggle(self) -> None:
        """The instruction was read to the patient, or not after all; the attempt keeps which version."""
        if self.read_out.toggle():
            words = (
                _("Instruction read out (version {version}).")
                if self.read_out.was_read_out
                else _("Instruction not read out ({version}).")
            )
            self._screen.say(words.format(version=self.read_out.read_version))

    def open_whole(self, language: str) -> None:
        """Every word of it, over the card."""
        from crisisdesk.ui.screens.instruction_text import InstructionTextScreen

        if self.read_out.shown is None:
            self._screen.warn(_("No instruction is in force here."))
        else:
            self._screen.app.push_screen(InstructionTextScreen(self.read_out.shown, language))


def reading_lines(reading: CardInstruction, language: str, session: Session) -> list[Content]:
    """What is read out to a patient, in the patient's language: old words over new words where something changed that
    the patient was told; else, or besides, the instruction in force, with the agent's own language below."""
    lines = _told_lines(reading, language, session)
    one = reading.instruction
    if one is None or (reading.told is not None and reading.told.new == one):
        return lines
    head = _("Instruction, version {version} (^O: whole)").format(version=one.version)
    if spoken(one, language, session.reference).is_fallback:
        head += " · " + _("no words in: {language}").format(language=session.label("language", language))
    texts = in_languages(one, language, session)
    return [*lines, Content.styled(head, "bold"), *(inert(words, LONGEST) for _language, words in texts)]


OLD_WORDS = 52
"""Of the old words: enough to know which they were."""


def _told_lines(reading: CardInstruction, language: str, session: Session) -> list[Content]:
    told = reading.told
    if told is None:
        return []
    on = clock.to_local(told.told_at, session.zone)
    old = _("Was told on {day} (v{version}):").format(day=f"{on:%d/%m}", version=told.old.version)
    said = spoken(told.old, language, session.reference).words
    lines = [Content.styled(old, "bold $warning"), inert(f"«{inert_line(said, OLD_WORDS)}»")]
    if told.new is not None:
        new = _("Tell now (v{version}; ^O: whole):").format(version=told.new.version)
        words = spoken(told.new, language, session.reference).words
        lines += [Content.styled(new, "bold $accent"), inert(words, LONGEST, "bold")]
    return [*lines, inert(told.reason, LONGEST, "$text-muted")] if told.reason else lines
