"""Ratios to a floor measured in the same run: absolute times drift by two between machines, ratios hold.

A benchmark is a file `bench_*.py` in this folder with ``run(folder: Path, runs: int) -> Iterable[Result]``. It builds
its own desk in ``folder`` and yields results. Nothing here is a test: no figure can fail the suite.
"""

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Result:
    """One line of the table. ``ours`` and ``floor`` in one unit (ms unless said); no floor: the target is absolute."""

    name: str
    ours: float
    floor: float | None
    target: float
    """Largest allowed ratio to the floor (or value without one); the smallest where more is better."""
    runs: int
    unit: str = "ms"
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        """Ours over the floor; ours itself where there is none."""
        return self.ours if self.floor is None else self.ours / self.floor

    @property
    def is_met(self) -> bool:
        """The target is kept."""
        return self.ratio >= self.target if self.more_is_better else self.ratio <= self.target


def measure(
    name: str, ours: Callable[[], object], floor: Callable[[], object], *, target: float, runs: int = 15
) -> Result:
    """Time both, in turn, so that a busy machine is unkind to both; medians in milliseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    ours(), floor()  # warm: caches, prepared statements
    for _round in range(runs):
        for kept, work in zip(times, (ours, floor), strict=True):
            kept.append(timed(work))
    return Result(name, median(times[0]), median(times[1]), target, runs)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that ``work`` takes, without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        begin = perf_counter()
        work()
        return (perf_counter() - begin) * 1000
    finally:
        gc.enable()


def with_bytecode(folder: Path) -> None:
    """Let the programs that are started from here on keep their compiled files, as an installation does: where the
    host forbids it (PYTHONDONTWRITEBYTECODE), each start would compile this program, and no library, anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(results: Sequence[Result]) -> str:
    """The results as aligned text: name, ours, floor, ratio, target, and whether it is met."""
    lines = [f"{'benchmark':<58} {'ours':>12} {'floor':>12} {'ratio':>7} {'target':>8}  runs"]
    for result in results:
        floor = "" if result.floor is None else f"{result.floor:.2f} {result.unit}"
        ratio = "" if result.floor is None else f"{result.ratio:.2f}"
        sign = ">=" if result.more_is_better else "<="
        verdict = "" if result.is_met else "  MISSED"
        lines.append(
            f"{result.name:<58} {f'{result.ours:.2f} {result.unit}':>12} {floor:>12} {ratio:>7} "
            f"{sign + format(result.target, 'g'):>8} {result.runs:>5}{verdict}"
        )
    return "\n".join(lines)
