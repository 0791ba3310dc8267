"""The moment at which the tests' desks live."""

from datetime import UTC, datetime

DESK_NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)  # a Tuesday, 14:00 in Brussels
