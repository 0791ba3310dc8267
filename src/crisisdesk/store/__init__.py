"""The only room that speaks to SQLite: engine, tables, migrations, statements, journal, search."""
