"""Texts and tokens in requests."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects.openai_extensions import converter
from g4f_aio.dialects.prompts import Prompts, prompts_of, register_prompts
from g4f_aio.dialects.structure import describe

EXACT = converter()
register_prompts(EXACT)


@pytest.mark.parametrize(
    ("given", "single"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ([1, 2],)),
        ([[1], [2, 3]], ([1], [2, 3])),
        ([[]], ([],)),
    ],
)
def test_the_four_forms(given: Any, single: Any) -> None:
    found: Prompts = EXACT.structure(given, Prompts)  # type: ignore[arg-type]
    assert found is given
    assert prompts_of(found, "input") == single


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (None, "$"),
        ({}, "$"),
        (1, "$"),
        ([True], "$[0]"),
        (["a", 1], "$[1]"),
        ([1, 1.5], "$[1]"),
        ([[1], 2], "$[1]"),
        ([[1], [2, "a"]], "$[1][1]"),
        ([None], "$[0]"),
    ],
)
def test_what_is_wrong_has_its_path(given: Any, path: str) -> None:
    with pytest.raises(Exception, match=r".*") as caught:
        EXACT.structure(given, Prompts)  # type: ignore[arg-type]
    assert describe(caught.value)[0][0] == path


def test_there_must_be_one() -> None:
    with pytest.raises(BadRequestError) as caught:
        prompts_of([], "prompt")
    assert (caught.value.message, caught.value.param) == ("$.prompt: must not be empty", "prompt")
