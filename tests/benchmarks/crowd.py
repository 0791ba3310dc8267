"""A million people who wait, made by the database itself: one INSERT ... SELECT a table, in seconds, not minutes."""

from datetime import UTC, datetime
from pathlib import Path

from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.store.engine import Store, open_desk

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
STAMP = f"{NOW:%Y-%m-%d %H:%M:%S.%f}"

_NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count) "
_PRIORITY = "CASE n % 6 WHEN 1 THEN 'P1b' WHEN 2 THEN 'P2' WHEN 5 THEN 'P4' WHEN 0 THEN NULL ELSE 'P3' END"
_DAYS = "CASE n % 6 WHEN 1 THEN 3 WHEN 2 THEN 28 WHEN 5 THEN 180 ELSE 84 END"
_DAY = "date('2022-05-14', (n % 20) || ' days')"
_TABLES = (
    "INSERT INTO patient (id, last_name, name_key, created_at) SELECT n, 'P' || n, 'p' || n, :now FROM numbers",
    """INSERT INTO phone (patient_id, number, reversed, added_at)
    SELECT n, '+324' || printf('%08d', n), printf('%08d', n) || '423', :now FROM numbers""",
    f"""INSERT INTO postponement (id, patient_id, site_id, service_id, kind, procedure, original_on, planned_on,
      priority, priority_by, source, created_at, tried_at, reached_at)
    SELECT n, n, 'arlon', :service, 'surgery', CASE WHEN n % 5 = 0 THEN 'PTH hanche' ELSE 'hernie' END, {_DAY}, {_DAY},
      {_PRIORITY}, iif(n % 6 = 0, '', 'list'), 'list', :now, iif(n % 3 = 0, :now, NULL), iif(n % 9 = 0, :now, NULL)
    FROM numbers""",
    f"""INSERT INTO callback (id, patient_id, site_id, tier, due_at, why, released_at, release_why, created_at)
    SELECT n, n, 'arlon', iif(n % 6 IN (1, 2), 1, 2),
      strftime('%Y-%m-%d 22:00:00.000000', {_DAY}, '-1 days', {_DAYS} || ' days'),
      json_object('rule', 'limit', 'priority', {_PRIORITY}, 'original_on', {_DAY}, 'postponement_id', n),
      iif(:released, :now, NULL), iif(:released, 'opening:1', ''), :now FROM numbers""",
    """INSERT INTO callback_item (callback_id, postponement_id, added_at) SELECT n, n, :now FROM numbers""",
)


def crowd(path: Path, count: int, *, released: bool) -> Store:
    """A desk with ``count`` operations of Arlon put off, one a patient, each in a callback; opened."""
    init_desk(path, data_folder(), admin_login="chef", now=NOW)
    store = open_desk(path)
    service = next(s.service_id for s in load_reference(store).services_of("arlon") if s.code == "surgery")
    values = {"count": count, "now": STAMP, "service": service, "released": int(released)}
    for sql in _TABLES:
        head, select = sql.split("SELECT", 1)
        used = {name: value for name, value in values.items() if f":{name}" in sql or name == "count"}
        with store.write() as connection:
            connection.exec_driver_sql(f"{head} {_NUMBERS} SELECT {select}", used)
    with store.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    return store
