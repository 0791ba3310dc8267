"""What is typed is back after a cut, also when it was typed without a stop; and the campaign of cuts finds a program
that forgets.

The whole campaign, 200 cuts through a real sshd: python tests/campaigns cuts
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns import loopback
from campaigns.typist import Cut, lost_age
from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.store.engine import Store
from terminal import Terminal, desk_command

CAMPAIGNS = Path(__file__).resolve().parent.parent / "campaigns"
F2, F7 = b"\x1bOQ", b"\x1b[18~"


def campaign(*options: str, over: str = "local") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CAMPAIGNS), "cuts", "--over", over, "--rest", "2", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)


def test_a_long_sentence_is_stored_while_it_is_typed(desk_path: Path, desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    begin = datetime.now(UTC)
    with Terminal(desk_command(desk_path)) as screen:
        screen.see("Arlon")
        screen.type(F2)
        screen.see("Incoming call")
        for number in range(400):  # no pause is long enough to be a stop
            screen.type(b"0123456789"[number % 10 : number % 10 + 1])
            screen.read(0.3)
            if drafts := list_drafts(desk_store, agent=agent):
                break
    assert drafts, "typed for two minutes and nothing was stored"
    assert drafts[0].saved_at > begin


@pytest.mark.parametrize("keys", [b"", F7])
def test_a_list_that_is_read_again_and_is_the_same_writes_nothing(
    desk_path: Path, desk_store: Store, keys: bytes
) -> None:
    """Else sshd, which asks only silent clients whether they live, keeps a dead session for ever."""
    bruno = find_agent(desk_store, "bruno")
    assert bruno
    with Terminal(desk_command(desk_path)) as screen:
        screen.see("Arlon")
        screen.type(keys)
        screen.read(3.0)
        before = len(screen.raw)
        for number in range(4):
            now = datetime.now(UTC)
            save_draft(desk_store, uid="d", kind="call", fields={"note": str(number)}, agent=bruno, now=now)
            screen.read(1.0)
        written = screen.raw[before:]
    moves = re.findall(rb"\x1b\[\d+;\d+H(?=\x1b\[\d+;\d+H)", written)
    assert moves == []
    assert len(written) <= 100, written  # the minute may change meanwhile


def test_ten_cuts_lose_nothing_and_leave_nothing_behind() -> None:
    done = campaign("--agents", "3", "--cuts", "10", "--minutes", "0.2")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dead_line_through_a_real_sshd_leaves_nothing_behind() -> None:
    if why := loopback.why_not():
        print(why)
        pytest.skip(why)
    done = campaign("--agents", "3", "--cuts", "6", "--minutes", "0.2", "--alive", "1x1", over="ssh")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_forgets_is_found() -> None:
    done = campaign("--agents", "2", "--cuts", "3", "--minutes", "0.3", "--without-autosave")
    print(done.stdout)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "old is gone" in done.stdout


@pytest.mark.parametrize(
    ("kept", "age"),
    [
        ({"phone": "063", "words": "genou"}, 0.0), ({"phone": "063 and more", "words": "genou"}, 0.0),
        ({"phone": "063", "words": "geno"}, 1.0), ({"phone": "063", "words": "ge"}, 3.0), ({"words": "genou"}, 8.0),
        ({"phone": "063", "words": "gXnou"}, 4.0),
    ],
)  # fmt: skip
def test_the_oldest_lost_letter_counts(kept: dict[str, str], age: float) -> None:
    typed = [(float(second), "phone", letter) for second, letter in enumerate("063", 2)]
    typed += [(float(second), "words", letter) for second, letter in enumerate("genou", 5)]
    typed.append((9.5, "topic", "o"))
    cut = Cut("one", "killed", "call", 10.0, typed)
    assert lost_age(cut, kept, lambda place: typed[place][0]) == age


def test_a_letter_counts_from_when_it_was_seen() -> None:
    cut = Cut("one", "killed", "call", 10.0, [(1.0, "words", letter) for letter in "genou"])
    cut.shown = {2: 4.0, 3: 9.0}
    assert [cut.shown_at(place) for place in range(5)] == [4.0, 4.0, 4.0, 9.0, 10.0]
    assert lost_age(cut, {"words": "ge"}, cut.shown_at) == 6.0
    assert lost_age(cut, {"words": "geno"}, cut.shown_at) == 0.0
