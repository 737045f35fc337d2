"""Texts and their tokens as OpenAI's older APIs take them."""

from __future__ import annotations

from typing import Any

import cattrs

from ..core.errors import BadRequestError
from ..core.operations import Prompt
from .structure import register, wrong_type

#: one text, several, the tokens of one, or those of several
Prompts = str | list[str] | list[int] | list[list[int]]
_WHAT = "a string, or an array of strings, of tokens or of arrays of tokens"


def register_prompts(converter: cattrs.Converter) -> None:
    """Let *converter* structure ``Prompts``; what is wrong in them has its JSON path."""

    def hook(value: Any, _: Any) -> Any:
        if type(value) is str:
            return value
        if type(value) is not list:
            raise wrong_type(_WHAT, value)
        kinds = set(map(type, value))
        if kinds <= {str} or kinds <= {int}:
            return value
        if kinds == {list} and all(set(map(type, one)) <= {int} for one in value):
            return value
        # something is wrong: this says where
        first = type(value[0])
        shape: Any = list[list[int]] if first is list else list[int] if first is int else list[str]
        return converter.structure(value, shape)

    register(converter, Prompts, hook)


def prompts_of(given: Prompts, field: str) -> tuple[Prompt, ...]:
    """The single ones; BadRequestError when there is none."""
    if isinstance(given, str):
        return (given,)
    if not given:
        raise BadRequestError(f"$.{field}: must not be empty", param=field)
    if isinstance(given[0], int):
        return (given,)
    return tuple(given)
