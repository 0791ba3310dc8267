"""Entry point: `crisisdesk` and `python -m crisisdesk`."""

import os
import sys


def main() -> int:
    """Run the command line and return its exit code (0 done, 1 rule broken, 2 usage, 3 store unavailable)."""
    from crisisdesk.cli.main import run

    os.umask(0o077)  # desks, drafts, exports and logs hold patient data
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
