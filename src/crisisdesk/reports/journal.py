"""The journal for readers: newest first, verified on request."""

from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal
from crisisdesk.store.engine import Store
from crisisdesk.store.journal import JournalEntry, Verdict

__all__ = ["JournalEntry", "Verdict", "journal_entries", "journal_head", "read_anchor", "verify_journal"]


def journal_entries(
    store: Store, *, before: int | None = None, subject: str = "", limit: int = 200
) -> tuple[JournalEntry, ...]:
    """The newest entries first.

    Args:
        before: only entries with a smaller number.
        subject: a kind of subject ("patient"), or one of them ("patient:12"); empty: all.
    """
    kind, _colon, subject_id = subject.partition(":")
    with store.read() as connection:
        return journal.entries(connection, before=before, subject=kind, subject_id=subject_id, limit=limit)


def journal_head(store: Store) -> tuple[int, str]:
    """Number and hash of the last entry: what to print and keep elsewhere."""
    with store.read() as connection:
        return journal.head(connection)


def verify_journal(store: Store, anchor: tuple[int, str] | None = None) -> Verdict:
    """Check every entry against the one before, the last against the head, and one against an anchor kept elsewhere."""
    with store.read() as connection:
        return journal.verify(connection, anchor)


def read_anchor(text: str) -> tuple[int, str]:
    """An anchor as `journal head` prints it, "SEQ:HASH".

    Raises:
        RuleBroken: it has another form.
    """
    seq, _colon, digest = text.strip().partition(":")
    if not seq.isdecimal() or not (len(digest) == 64 or (seq == "0" and not digest)):
        raise RuleBroken(
            _("'{text}' is no anchor. Give it as 'crisisdesk journal head' prints it: SEQ:HASH.").format(text=text)
        )
    return int(seq), digest.lower()
