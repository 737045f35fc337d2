"""The field ``web_search``: a flag, a query, or a flag as text."""

from __future__ import annotations

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects.web_search import LONGEST, web_search_of


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("", False),
        ("  ", False),
        ("true", True),
        (" False ", False),
        ("comet\n Tartu ", "comet Tartu"),
        ("true story", "true story"),
    ],
)
def test_it_says_what_to_search_for(value: bool | str | None, asked: bool | str) -> None:  # noqa: FBT001
    found = web_search_of(value)
    assert (type(found), found) == (type(asked), asked)


def test_a_query_is_not_endless() -> None:
    assert web_search_of("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(BadRequestError, match=r"\$\.web_search: .* at most 400") as caught:
        web_search_of("x" * (LONGEST + 1))
    assert caught.value.param == "web_search"
