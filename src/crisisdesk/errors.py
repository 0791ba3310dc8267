"""Four kinds of failure. Three are here, with the news that there was none; all else is a bug and treated as one."""


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


class AlreadyStored(CrisisDeskError):
    """The same wish was stored when it was asked for the first time, and only its answer was lost. Nothing was stored
    twice."""


class StoreUnavailable(CrisisDeskError):
    """The desk file cannot be used (disk, lock, damage, newer schema, unsafe engine). Says what to do."""

    exit_code = 3
