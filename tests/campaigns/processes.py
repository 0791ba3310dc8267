"""Processes of agents on this machine, by their logins: who is there, and how busy."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def of_login(login: str) -> set[int]:
    """The desk's processes of a login: a Python that runs crisisdesk and was told the login, by a word or by sudo."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = Path(entry.path, "cmdline").read_bytes()
                if not words.split(b"\0")[0].rpartition(b"/")[2].startswith(b"python") or b"ssh" in words[:200]:
                    continue
                told = words + b"\0" + Path(entry.path, "environ").read_bytes()
            except OSError:
                continue
            names = told.split(b"\0")
            if login.encode() in names or f"SUDO_USER={login}".encode() in names:
                found.add(int(entry.name))
    return found


def seconds_used(pid: int) -> float | None:
    """Processor time of a process so far; None where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> int:
    """Proportional share of the memory of a process, in bytes; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
