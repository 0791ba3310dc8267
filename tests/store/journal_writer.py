"""A process that writes to a desk's journal: `journal_writer.py DESK NAME COUNT`; prints each number when durable."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from crisisdesk.store.engine import open_desk
from crisisdesk.store.journal import append


def main() -> None:
    """Append entries one by one, each in its own transaction."""
    desk, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    store = open_desk(desk)
    for number in range(count):
        with store.write() as connection:
            now = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
            seq = append(connection, agent=name, action="test", subject="thing", subject_id=number, now=now)
        print(seq, flush=True)


if __name__ == "__main__":
    main()
