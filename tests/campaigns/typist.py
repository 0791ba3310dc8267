"""An agent at a terminal: signs in, types calls and notes key by key, is cut, signs in again and looks for the text."""

import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic, time

from campaigns import processes
from campaigns.aftermath import Aftermath
from campaigns.lines import AgentLine
from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.drafts import Draft, list_drafts
from crisisdesk.store.engine import Store
from terminal import Terminal

F2, F7, SAVE = b"\x1bOQ", b"\x1b[18~", b"\x13"
WORDS = "le genou a doublé depuis hier soir, il ne dort plus et demande quand on va enfin le rappeler"
PATIENCE = 120.0
"""Seconds for a sign-in on a busy machine."""
CHOICES = frozenset({"caller_kind", "language", "site", "topic", "disposition"})
"""Fields in which a letter stands for a choice: a draft keeps what it chose."""
REFERENCE = re.compile(r"\b\d{4}-[A-Z]\b")

FEW = 8
"""Letters by which a text is recognised on the screen: a field shows the end of a long one."""


@dataclass
class Cut:
    """One cut, and what was back after it."""

    name: str
    way: str
    kind: str
    """What was typed: call or attempt."""
    at: float
    """monotonic"""
    typed: list[tuple[float, str, str]] = field(default_factory=list)
    """When, in which field, which letter."""
    shown: dict[int, float] = field(default_factory=dict)
    """When the letter of that place in ``typed`` was first seen on the screen; those before it were there by then."""
    lost_age: float | None = None
    """For how many seconds the oldest letter that is gone had stood on the screen; 0 where all that had is back; None:
    not looked yet."""
    lost_typed_age: float = 0.0
    """The same from the key on: on a machine that cannot keep up, keys wait before the program sees them."""
    on_screen: bool | None = None
    """Whether the text came back on the screen too, where this was looked at."""

    def see(self, screen: str) -> None:
        """Note that the newest letters stand on the screen, where they do: by the last few of their field."""
        if not self.typed:
            return
        name = self.typed[-1][1]
        last = "".join(letter for _at, of, letter in self.typed[-FEW:] if of == name)
        if len(last) >= 3 and last in screen:
            self.shown.setdefault(len(self.typed) - 1, monotonic())

    def shown_at(self, place: int) -> float:
        """When a letter was on the screen; never: later than the cut."""
        return min((at for seen, at in self.shown.items() if seen >= place), default=self.at)


class Typist(threading.Thread):
    """One agent; a thread, because a terminal is waited for."""

    def __init__(self, name: str, line: AgentLine, store: Store, aftermath: Aftermath, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self._line, self._store, self._aftermath = line, store, aftermath
        self._chance = random.Random(seed)
        agent = find_agent(store, line.login(name))
        assert agent, name
        self.agent: Agent = agent
        self.last_key = time()
        self.way = ""
        """How to be cut at one of the next keys; set by the campaign."""
        self.is_over = self._is_resting = False
        self.cuts: list[Cut] = []
        self.saved: list[str] = []
        """References that were shown after a save."""
        self.troubles: list[str] = []
        self.pid = 0
        self._known = {draft.uid for draft in self._drafts()}
        self._back: Cut | None = None

    def _drafts(self) -> tuple[Draft, ...]:
        return list_drafts(self._store, agent=self.agent)

    def rest(self) -> None:
        """Type nothing more, and stay signed in."""
        self._is_resting = True

    def run(self) -> None:
        while not self.is_over:
            try:
                self._session()
            except (AssertionError, OSError) as problem:
                self.troubles.append(f"{self.name}: {str(problem)[:1500]}")

    # ------------------------------------------------------------ a session, from sign-in to cut

    def _session(self) -> None:
        before = processes.of_login(self.agent.login)
        terminal = self._line.open(self.name)
        is_cut = False
        try:
            self.sign_in(terminal)
            self.pid = max(processes.of_login(self.agent.login) - before, default=0)
            if self._back is not None:
                self._look(self._back, terminal)
            while not self.is_over and not is_cut:
                if self._is_resting:
                    terminal.read(0.5)
                else:
                    is_cut = self._work(terminal)
        finally:
            if is_cut:
                self._aftermath.watch(self.agent.login, self.pid, terminal, self.cuts[-1].way)
            else:
                self._line.let_go(terminal)
            self.pid = 0
        self._chance.random() < 0.5 or threading.Event().wait(self._chance.uniform(0, 2))

    def sign_in(self, terminal: Terminal) -> None:
        """From the line to the first screen. The only place that knows what stands between.

        A frozen client's session lives until sshd has given it up: the agent is asked, and goes on here.
        """
        asks = ("[y/n]", "[o/n]")  # in the language of the desk, where nothing else was chosen
        terminal.until(lambda: any(one in terminal.glass.text for one in (*asks, "Arlon")), PATIENCE)
        if any(one in terminal.glass.text for one in asks):
            terminal.type(b"o\n" if asks[1] in terminal.glass.text else b"y\n")
        terminal.until(lambda: "Arlon" in terminal.glass.text, PATIENCE)

    def _work(self, terminal: Terminal) -> bool:
        """One call or one note; True when the line was cut over it."""
        is_note = self._chance.random() < 0.25
        cut = Cut(self.name, "", "attempt" if is_note else "call", 0.0)
        for name, keys in self._note(terminal) if is_note else self._call(terminal):
            for letter in keys:
                if self.way and cut.typed:
                    self._cut(cut, terminal)
                    return True
                if self.is_over or self._is_resting:
                    return False
                self._type(terminal, letter.encode())
                if letter >= " ":
                    cut.typed.append((monotonic(), name, letter))
                terminal.read(self._pause())
                cut.see(terminal.glass.text)
        if not is_note:
            self._save(terminal)
        self._known |= {draft.uid for draft in self._drafts()}
        return False

    def _type(self, terminal: Terminal, keys: bytes) -> None:
        terminal.type(keys)
        self.last_key = time()

    def _pause(self) -> float:
        return self._chance.uniform(2, 3.5) if self._chance.random() < 0.02 else self._chance.uniform(0.12, 0.4)

    def _cut(self, cut: Cut, terminal: Terminal) -> None:
        cut.way, self.way, cut.at = self.way, "", monotonic()
        self._line.cut(terminal, cut.way)
        self.cuts.append(cut)
        self._back = cut

    # ------------------------------------------------------------ what is typed

    def _call(self, terminal: Terminal) -> Iterator[tuple[str, str]]:
        """Fields with their keys, the tabs that follow among them."""
        self._type(terminal, F2)
        chance = self._chance
        letters = "".join(chance.choices("bcdfglmnprstv", k=6))
        words = WORDS[: chance.randrange(20, len(WORDS))]
        yield "phone", f"063{chance.randrange(10**6):06}\t"
        yield "last_name", f"Van {letters}\t"
        yield "first_name", f"Marie{letters[:2]}\t"
        yield "birth", "12/03/1958\t\t"
        yield "caller_kind", "s\t\t\t"
        yield "language", "f\t"
        yield "site", "arlon\t"
        yield "topic", "o\t"
        yield "words", f"{words} {letters}\t\t\t"
        yield "disposition", "r\t"
        yield "wish", "demain matin"

    def _note(self, terminal: Terminal) -> Iterator[tuple[str, str]]:
        """The next patient of Arlon, who declines; what was said is typed, and the patient is left."""
        self._type(terminal, F7)
        terminal.read(1.0)
        self._type(terminal, b"\r")
        terminal.read(1.5)
        self._type(terminal, b"x")
        terminal.read(0.5)
        yield "note", f"{WORDS[: self._chance.randrange(20, len(WORDS))]} {self._chance.randrange(10**6)}"

    def _save(self, terminal: Terminal) -> None:
        self._type(terminal, SAVE)
        try:
            terminal.until(lambda: REFERENCE.search(terminal.glass.text), 60)
        except AssertionError as problem:
            self.troubles.append(f"{self.name}: no reference after saving: {str(problem)[:1500]}")
        else:
            found = REFERENCE.search(terminal.glass.text)
            assert found
            self.saved.append(found.group())

    # ------------------------------------------------------------ what is back

    def _look(self, cut: Cut, terminal: Terminal) -> None:
        """Compare what was typed with the desk's drafts, and now and then with the screen that goes on with it."""
        self._back = None
        fresh = [draft for draft in self._drafts() if draft.uid not in self._known and draft.kind == cut.kind]
        kept = fresh[0].fields if fresh else {}
        cut.lost_typed_age = lost_age(cut, dict(kept), lambda place: cut.typed[place][0])
        cut.lost_age = lost_age(cut, dict(kept), cut.shown_at)
        self._known |= {draft.uid for draft in self._drafts()}
        long_enough = next((text for text in (kept.get("phone", ""), kept.get("note", "")) if len(text) > 5), "")
        if long_enough and self._chance.random() < 0.34:
            self._type(terminal, b"\t\r")
            shown = long_enough[:20]
            try:
                terminal.until(lambda: shown in terminal.glass.text, 60)
                cut.on_screen = True
            except AssertionError:
                cut.on_screen = False
                self.troubles.append(f"{self.name}: {shown!r} is not on the screen:\n{terminal.glass.text}")


def lost_age(cut: Cut, kept: dict[str, str], since: Callable[[int], float]) -> float:
    """Age at the cut of the oldest letter that is not kept, in seconds; 0 where nothing is missing.

    Args:
        since: from when on the letter of a place in ``cut.typed`` counts; after the cut: not at all.
    """
    oldest = 0.0
    for name in {one[1] for one in cut.typed} - CHOICES:
        places = [place for place, one in enumerate(cut.typed) if one[1] == name]
        text = kept.get(name, "")
        for at, place in enumerate(places):
            if text[at : at + 1] != cut.typed[place][2]:
                oldest = max(oldest, cut.at - since(place))
                break
    return oldest
