"""Where a value is in JSON."""

from __future__ import annotations

from functools import partial
from operator import eq, is_
from typing import Any

import pytest

from g4f_aio.core.json_path import path_of


@pytest.mark.parametrize(
    ("within", "path"),
    [
        ({"a": {"b": "it"}, "c": "it"}, "a.b"),
        ({"messages": [{"role": "user"}, {"content": ["", "it"]}]}, "messages[1].content[1]"),
        ([{"a": []}, [[], "it"]], "[1][1]"),
        ({"a": {"it": 1}}, None),
        ("it", None),
        (None, None),
    ],
)
def test_it_names_the_first_that_is_wanted(within: Any, path: str | None) -> None:
    assert path_of(within, partial(eq, "it")) == path


def test_the_very_value_may_be_wanted() -> None:
    wanted: dict[str, int] = {}
    assert path_of({"a": [{}, wanted]}, partial(is_, wanted)) == "a[1]"


def test_it_may_be_deeper_than_functions_can_call_each_other() -> None:
    within: Any = "it"
    for _ in range(10_000):
        within = [within]
    assert path_of(within, partial(eq, "it")) == "[0]" * 10_000
