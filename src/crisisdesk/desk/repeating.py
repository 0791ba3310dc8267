"""A wish that is tried again because its answer was lost: it is stored once, under the id that the client made.

Calls and attempts have ids of their own (`uid`), and give the first result back. For everything else the entry of the
journal that the first try left is the proof that it was stored: it carries the id.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from crisisdesk.errors import AlreadyStored, LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal

if TYPE_CHECKING:
    from crisisdesk.store.engine import Store

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., object])


def goes_on(fn: Function) -> Function:
    """Mark a function of several transactions that goes on where it was left: a second try is no repeat."""
    fn.goes_on = True  # type: ignore[attr-defined]
    return fn


def run_once(
    store: "Store", key: str, login: str, step: Callable[[], Result], *, is_again: bool, may_go_on: bool = False
) -> Result:
    """Run a writing function of the desk under the client's id.

    Args:
        key: made by the client, the same for each try of one wish.
        login: whose wish it is.
        is_again: an earlier try ended in `StoreUnavailable`: nobody knows whether it was stored.
        may_go_on: the function is marked by `goes_on`.

    Raises:
        AlreadyStored: it was; what the function would do a second time, or refuse because it is done, is left.
        What the function raises, otherwise.
    """
    is_stored = False
    if is_again:
        with store.read() as connection:
            is_stored = journal.is_stored_under(connection, key)
    try:
        with journal.under_request(journal.Request(key, login, is_stored and not may_go_on)):
            return step()
    except (RuleBroken, LeaseLost) as refusal:
        if not is_stored:
            raise
        words = _("It was stored the first time; only the answer was lost. Nothing was stored twice.")
        raise AlreadyStored(words) from refusal
