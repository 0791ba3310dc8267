"""Entry point: `crisisdesk` and `python -m crisisdesk`."""

import os
import sys


def main() -> int:
    """Run the command line and return its exit code (0 done, 1 rule broken, 2 usage, 3 store unavailable)."""
    from crisisdesk.cli.launched import through_launcher

    os.umask(0o077)  # desks, drafts, exports and logs hold patient data
    code = through_launcher(sys.argv[1:])
    return start(sys.argv[1:]) if code is None else code


def start(argv: list[str]) -> int:
    """Run the command line in this process. A session that the launcher forked begins here too."""
    import gc

    from crisisdesk.cli.main import run

    os.umask(0o077)
    gc.set_threshold(50_000, 20, 100)  # imports make what stays: 300 looks at it are a tenth of a start
    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
