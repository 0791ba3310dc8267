"""`python tests/benchmarks [NAME...] [--runs N]`: runs every bench_*.py (or those named) and prints one table."""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.setdefault("CRISISDESK_ALLOW_ROOT", "1")  # the desks of a benchmark are thrown away

from harness import Result, table  # noqa: E402 - the folder is no package


def main() -> int:
    """Print the table; the exit code says only whether every benchmark could run."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--runs", type=int, default=15, help="timed rounds of each measurement (default 15)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    results: list[Result] = []
    for name in arguments.names or known:
        with TemporaryDirectory(prefix="bench-") as folder:
            print(f"{name} ...", file=sys.stderr, flush=True)
            results += import_module(f"bench_{name}").run(Path(folder), arguments.runs)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
