"""Names that databases take."""

from __future__ import annotations

import pytest

from g4f_aio.storage.texts import LONGEST, storable


@pytest.mark.parametrize("name", ["", "resp_1", "ä" * (LONGEST // 2), "line\nbreak"])
def test_names_that_can_be_kept(name: str) -> None:
    assert storable(name)
    assert not storable(name, "\0")


@pytest.mark.parametrize("name", ["a\0", "\ud83d", "a" * (LONGEST + 1), "ä" * LONGEST])
def test_names_that_cannot(name: str) -> None:
    assert not storable(name)
