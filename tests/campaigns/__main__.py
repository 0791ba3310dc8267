"""`python tests/campaigns NAME [options]`: runs one campaign; exit code 1 when its checker finds a fault.

kill    workers at one desk, killed with SIGKILL at random moments, who send again what was not answered
cuts    agents who type calls at real terminals whose lines are cut, frozen or stalled
storm   many sign-ins at once through a real sshd
"""

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "terminal")]
CAMPAIGNS = ("kill", "cuts", "storm")


def main(arguments: list[str]) -> int:
    """Run the campaign that the first word names with the other words as its options."""
    if not arguments or arguments[0] not in CAMPAIGNS:
        print(__doc__, file=sys.stdout if arguments[:1] in (["-h"], ["--help"]) else sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    code: int = import_module(f"campaigns.{arguments[0]}").main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
