"""Four kinds of failure. Three are here; everything else is a bug and is treated as one."""


class CrisisDeskError(Exception):
    """Base of the failures that carry a sentence for a tired person."""

    exit_code = 1


class RuleBroken(CrisisDeskError):
    """The agent can mend it; the message says what is wrong, where, and how."""

    exit_code = 1


class LeaseLost(CrisisDeskError):
    """The callback is held by somebody else, or by a later generation. Names the holder; nothing was written."""

    exit_code = 1

    def __init__(self, message: str, holder: str | None = None) -> None:
        super().__init__(message)
        self.holder = holder


class StoreUnavailable(CrisisDeskError):
    """The desk file cannot be used (disk, lock, damage, newer schema, unsafe engine). Says what to do."""

    exit_code = 3
