"""An agent at a terminal: signs in, types calls and notes key by key, is cut, signs in again and looks for the text."""

import random
import re
import threading
from collections.abc import Iterator
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
CHOICES = frozenset({"caller_kind", "language", "site", "topic", "disposition"})
"""Fields in which a letter stands for a choice: a draft keeps what it chose."""
REFERENCE = re.compile(r"\b\d{4}-[A-Z]\b")


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
    lost_age: float | None = None
    """Age in seconds at the cut of the oldest letter that is gone; 0 where all is back; None: not looked yet."""
    on_screen: bool | None = None
    """Whether the text came back on the screen too, where this was looked at."""


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
        """From the line to the first screen. The only place that knows what stands between."""
        terminal.see("Arlon")

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
                terminal.type(letter.encode())
                self.last_key = time()
                if letter >= " ":
                    cut.typed.append((monotonic(), name, letter))
                terminal.read(self._pause())
        if not is_note:
            self._save(terminal)
        self._known |= {draft.uid for draft in self._drafts()}
        return False

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
        terminal.type(F2)
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
        terminal.type(F7)
        terminal.read(1.0)
        terminal.type(b"\r")
        terminal.read(1.5)
        terminal.type(b"x")
        self.last_key = time()
        terminal.read(0.5)
        yield "note", f"{WORDS[: self._chance.randrange(20, len(WORDS))]} {self._chance.randrange(10**6)}"

    def _save(self, terminal: Terminal) -> None:
        terminal.type(SAVE)
        self.last_key = time()
        try:
            terminal.until(lambda: REFERENCE.search(terminal.glass.text), 20)
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
        cut.lost_age = lost_age(cut, dict(kept))
        self._known |= {draft.uid for draft in self._drafts()}
        long_enough = next((text for text in (kept.get("phone", ""), kept.get("note", "")) if len(text) > 5), "")
        if long_enough and self._chance.random() < 0.34:
            terminal.type(b"\t\r")
            shown = long_enough[:20]
            try:
                terminal.until(lambda: shown in terminal.glass.text, 15)
                cut.on_screen = True
            except AssertionError:
                cut.on_screen = False
                self.troubles.append(f"{self.name}: {shown!r} is not on the screen:\n{terminal.glass.text}")


def lost_age(cut: Cut, kept: dict[str, str]) -> float:
    """Age at the cut of the oldest typed letter that is not kept, in seconds; 0 where nothing is missing."""
    oldest = 0.0
    for name in {one[1] for one in cut.typed} - CHOICES:
        letters = [(at, letter) for at, of, letter in cut.typed if of == name]
        text = kept.get(name, "")
        for place, (at, letter) in enumerate(letters):
            if place >= len(text) or text[place] != letter:
                oldest = max(oldest, cut.at - at)
                break
    return oldest
