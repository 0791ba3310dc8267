"""Files that are pasted, floods, and noise on the line: through a real terminal, with the real application."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.store.engine import Store
from terminal import Terminal, desk_command

F2, SAVE = b"\x1bOQ", b"\x13"
START, END = b"\x1b[200~", b"\x1b[201~"
LINE = b"063231111\tDupont\tMarie\r\ns\x13y"
FIVE_MB = (LINE * (5_000_000 // len(LINE) + 1))[:5_000_000]
REFUSED = "Far too much came at once"
NOISE = int(os.environ.get("CRISISDESK_NOISE_BYTES", "30000"))
MOST_KB = 150 * 1024


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def amelie(desk_store: Store) -> Agent:
    agent = find_agent(desk_store, "amelie")
    assert agent
    return agent


@pytest.fixture
def form(desk_path: Path, desk_store: Store) -> Iterator[Terminal]:
    """The call form with a number in its first field."""
    with Terminal(desk_command(desk_path)) as terminal:
        terminal.see("Arlon")
        terminal.type(F2 + b"063231111")
        terminal.see("063231111")
        yield terminal


def calls(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM call").scalar_one())


def memory(terminal: Terminal, field: str = "VmRSS") -> int:
    """Kilobytes."""
    lines = Path(f"/proc/{terminal.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def draft(store: Store, agent: Agent) -> list[str]:
    return sorted(value for one in list_drafts(store, agent=agent) for value in one.fields.values())


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        (START + FIVE_MB + END, REFUSED),
        (FIVE_MB, REFUSED),
        (START + b"a\x1b[31m\x1b[20~\x1bOQ\x1b" * 300_000 + END, REFUSED),
        (START + FIVE_MB, REFUSED),
        (START + b"Dupont\rMarie" * 50, "A paste broke off"),
        (b"\x1bOQ" * 1_000_000, REFUSED),
    ],
    ids=["marked", "unmarked", "with escapes", "unterminated", "short and unterminated", "keys"],
)  # fmt: skip
def test_a_file_is_refused_with_a_sentence_and_nothing_of_it_is_taken(
    form: Terminal, desk_store: Store, amelie: Agent, pasted: bytes, words: str
) -> None:
    before = memory(form)
    form.pour(pasted)
    form.see(words)
    assert "063231111" in form.glass.text
    assert memory(form, "VmHWM") - before < 12_000
    form.read(1.2)  # the end of a paste is waited for so long
    form.type(b"\tLambert\tAnne\t")
    form.until(lambda: {"063231111", "Lambert", "Anne"} <= set(draft(desk_store, amelie)))
    assert calls(desk_store) == 0
    assert len(list_drafts(desk_store, agent=amelie)) == 1
    assert not any(mark in "".join(draft(desk_store, amelie)) for mark in ("Dupont", "\x1b", "aaa"))


def test_a_long_burst_of_a_form_lands(form: Terminal, desk_store: Store, amelie: Agent) -> None:
    """Longer than what is let through without a pause; tests/ui/test_inputgate.py has 4,000 bytes."""
    last, first, words = (("Dupont " * 27).strip(), ("Marie " * 32).strip(), ("le genou à 80 % " * 12).strip())
    burst = f"\t{last}\t{first}\t12/03/1958" + "\x1b[Z\t" * 110 + f"\t\ts\t\t\tf\tarlon\to\t{words}\t\t\tr\tdemain\t"
    assert 1024 < len(burst.encode()) < 4095
    form.type(burst.encode())
    form.until(lambda: {last, first, "12/03/1958", words} <= set(draft(desk_store, amelie)), 120)
    assert calls(desk_store) == 0


def test_a_short_paste_lands_in_its_field_without_its_sequences(
    form: Terminal, desk_store: Store, amelie: Agent
) -> None:
    form.type(b"\t" + START + "\x1b[31mLéonard".encode() + END + b"\t")
    form.until(lambda: any("Léonard" in value for value in draft(desk_store, amelie)))
    assert "\x1b" not in "".join(draft(desk_store, amelie))


def test_noise_on_the_line_is_survived(desk_path: Path, desk_store: Store, tmp_path: Path) -> None:
    """Random bytes, as keys, past the gate that would drop them; CRISISDESK_NOISE_BYTES=1000000 for the long form."""
    program = tmp_path / "noise.py"
    program.write_text(
        "import sys\nfrom crisisdesk.ui.start import settle_environment\nsettle_environment()\n"
        "import crisisdesk.ui.inputgate as gate\ngate.BURST_MOST = gate.PASTE_MOST = 1 << 30\n"
        "import crisisdesk.ui.app as app\n"
        "app.CrisisDeskApp.action_leave = lambda self: None\n"  # it would be found, and confirmed
        "from crisisdesk.cli.main import run\nsys.exit(run(sys.argv[1:]))\n"
    )
    seed = int(os.environ.get("CRISISDESK_NOISE_SEED", str(random.randrange(1 << 30))))
    print(f"CRISISDESK_NOISE_SEED={seed}")
    noise = random.Random(seed)
    with Terminal(desk_command(desk_path), program=[str(program)]) as screen:
        screen.see("Arlon")
        for _part in range(NOISE // 1000):
            screen.pour(noise.randbytes(1000))
            screen.read(0.02)
            assert screen.process.poll() is None, f"seed {seed}: ended with {screen.process.returncode}"
        deadline = time.monotonic() + 60 + NOISE / 500
        while "Amélie" not in screen.glass.text or "CrisisDesk" not in screen.glass.text:
            assert time.monotonic() < deadline, screen.glass.text
            screen.type(b"\x1b\x1bOR\x1b\x1bOR\x12")
            screen.read(1.0)
        assert memory(screen, "VmHWM") <= MOST_KB
