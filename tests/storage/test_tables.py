"""The tables."""

from __future__ import annotations

from sqlalchemy import LargeBinary

from g4f_aio.storage.tables import metadata, version


def test_what_is_kept_belongs_to_somebody() -> None:
    """By its own column, or by that of what it is a part of."""
    for table in metadata.tables.values():
        assert "owner" in table.c or table.foreign_keys, table.name


def test_what_was_said_is_bytes() -> None:
    for table in metadata.tables.values():
        if "data" in table.c:
            assert isinstance(table.c.data.type, LargeBinary)


def test_the_version_is_no_part_of_what_migrations_make() -> None:
    assert version.name not in metadata.tables
