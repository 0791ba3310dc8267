"""Entry point: `crisisdesk` and `python -m crisisdesk`."""

import os
import resource
import sys


def main() -> int:
    """Run the command line and return its exit code (0 done, 1 rule broken, 2 usage, 3 store unavailable)."""
    is_heard = fill_closed_streams()
    os.umask(0o077)  # desks, drafts, exports and logs hold patient data
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # so does memory
    if not is_heard:
        from crisisdesk.cli.main import say_unheard

        return say_unheard()
    from crisisdesk.cli.launched import through_launcher

    code = through_launcher(sys.argv[1:])
    return start(sys.argv[1:]) if code is None else code


def start(argv: list[str]) -> int:
    """Run the command line in this process. A session that the launcher forked begins here too."""
    import gc

    from crisisdesk.cli.main import run

    os.umask(0o077)
    gc.set_threshold(50_000, 20, 100)  # imports make what stays: 300 looks at it are a tenth of a start
    return run(argv)


def fill_closed_streams() -> bool:
    """Put /dev/null where stdin, stdout or stderr is closed; False when it was stdout, so that nobody would hear.

    Else the next file that is opened, a desk, would get that number, and be written to as a terminal.
    """
    is_heard = True
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one
            is_heard = is_heard and number != 1
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # lives as long as the process
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    return is_heard


if __name__ == "__main__":
    sys.exit(main())
