"""The migrations as Alembic sees them."""

from __future__ import annotations

import pytest

from g4f_aio.storage.migrate import check, history
from g4f_aio.storage.schema import SchemaError
from g4f_aio.storage.tables import HEAD


def test_they_are_one_line_and_the_last_one_is_known() -> None:
    script = history()
    assert script.get_heads() == [HEAD]
    assert len(script.get_bases()) == 1


def test_each_says_what_it_does() -> None:
    for one in history().walk_revisions():
        assert one.doc
        check(history(), one.revision)


@pytest.mark.parametrize("found", ["9999", "", None, HEAD[:2]])
def test_another_one_is_of_a_newer_version(found: str | None) -> None:
    with pytest.raises(SchemaError, match="update g4f_aio"):
        check(history(), found)
