"""Many patients at once, as an import leaves them: for races and benchmarks."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import insert, text

from crisisdesk.desk.reference import load_reference
from crisisdesk.store import holding, tables
from crisisdesk.store.engine import Store

CODES = (None, "P1b", "P2", "P3", "P3", "P4")


def fill(store: Store, count: int, now: datetime, *, phone: Callable[[int], str] | None = None) -> int:
    """Import ``count`` postponed operations of Arlon, one a patient, and release all; gives how many callbacks wait."""
    service = next(s for s in load_reference(store).services_of("arlon") if s.code == "surgery")
    phone = phone or (lambda number: f"+3247{number:07}")
    with store.write() as connection:
        patient, numbers = tables.patient, tables.phone
        ids = range(1, count + 1)
        connection.execute(insert(patient), [{"id": n, "last_name": f"P{n}", "created_at": now} for n in ids])
        connection.execute(
            insert(numbers),
            [{"patient_id": n, "number": phone(n), "reversed": phone(n)[::-1], "added_at": now} for n in ids],
        )
        rows = [
            {
                "id": n, "patient_id": n, "site_id": "arlon", "service_id": service.service_id, "kind": "surgery",
                "original_on": date(2022, 5, 14) + timedelta(days=n % 20), "priority": CODES[n % len(CODES)],
                "source": "list", "created_at": now,
            }
            for n in ids
        ]  # fmt: skip
        connection.execute(insert(tables.postponement), rows)
        listed = {"id": 1, "name": "list", "sha256": "0", "series_key": "", "layout_key": "", "encoding": "utf-8"}
        connection.execute(insert(tables.source_file).values(**listed, staged_at=now, published_at=now))
        connection.execute(
            insert(tables.import_row),
            [{"source_file_id": 1, "row": n, "status": "accepted", "patient_id": n, "postponement_id": n} for n in ids],
        )
        made = holding.hold_imported(connection, 1, now)
        stamp = now.strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute(text("UPDATE callback SET released_at = :now, release_why = 'opening:1'"), {"now": stamp})
    return made
