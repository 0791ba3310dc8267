"""A storm: everybody signs in again at once. How long until each has a first screen, and in how much memory?

CRISISDESK_STORM says how many (150). Given up after five minutes; a way that would not fit into memory is left out.
"""

import os
import selectors
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from bench_sessions import Host, host, marker, processes, pss_of
from harness import Result

STARTS = int(os.environ.get("CRISISDESK_STORM", "150"))
PATIENCE_SECONDS = 300.0
LARGEST_MIB = 80  # a session by itself, generously


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Once each: these are minutes."""
    with host(folder) as here:
        for kind in ("launched", "cold"):
            here.start(kind).until(marker(kind))  # the first start compiles
            here.end()
            if kind == "cold" and available_mib() < STARTS * LARGEST_MIB:
                print(f"storm, cold: {STARTS} sessions do not fit into {available_mib():.0f} MiB: left out")
                continue
            seconds, there, half, memory = storm(here, kind)
            name = f"{STARTS} starts at once, {kind}"
            print(f"{name}: {there} in {seconds:.0f} s, {memory:.0f} MiB", file=sys.stderr)
            yield Result(f"{name}: half are at their screen", half, None, PATIENCE_SECONDS, 1, "s")
            yield Result(f"{name}: the last is", seconds, None, PATIENCE_SECONDS, 1, "s")
            yield Result(f"{name}: sessions with a screen", there, None, STARTS, 1, "", more_is_better=True)
            yield Result(f"{name}: memory, PSS", memory, None, STARTS * LARGEST_MIB, 1, "MiB")


def storm(here: Host, kind: str) -> tuple[float, int, float, float]:
    """Seconds until the last first screen, how many have one, seconds until half have, MiB of all."""
    wanted, seen = marker(kind), dict[int, bytes]()
    chosen = selectors.DefaultSelector()
    began = time.monotonic()
    for _number in range(STARTS):
        chosen.register(here.start(kind).fd, selectors.EVENT_READ)
    times: list[float] = []
    while len(times) < STARTS and time.monotonic() - began < PATIENCE_SECONDS:
        for key, _events in chosen.select(1.0):
            try:
                part = os.read(key.fd, 65536)
            except OSError:  # ended without a screen
                print(f"{kind}: one ended: {seen.get(key.fd, b'')[-300:]!r}", file=sys.stderr)
                chosen.unregister(key.fd)
                continue
            known = seen.get(key.fd, b"")
            seen[key.fd] = known + part
            if wanted in seen[key.fd] and wanted not in known:
                times.append(time.monotonic() - began)
    memory = sum(map(pss_of, processes(here, kind, here.open)))
    memory += pss_of(here.launcher.pid) if kind == "launched" else 0
    here.end()
    half = times[STARTS // 2] if len(times) > STARTS // 2 else PATIENCE_SECONDS
    return (times[-1] if len(times) == STARTS else PATIENCE_SECONDS), len(times), half, memory


def available_mib() -> float:
    """MiB that the host can still give."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable:"))
