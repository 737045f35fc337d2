"""JSON Schema, by a library that is loaded when it is first needed."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, Protocol

from ...core.errors import BadRequestError
from ...core.json_path import written

#: the faults that are told of one answer, at most, and the characters of each
FAULTS = 5
LONGEST = 300


class Schema(Protocol):
    """What a value may be."""

    def faults(self, value: object) -> list[str]:
        """What of *value* does not fit, with JSON paths; empty when all of it does."""


class Anything:
    """Any JSON object fits."""

    def faults(self, value: object) -> list[str]:
        """Only what is no object does not fit."""
        return [] if isinstance(value, dict) else ["$: must be a JSON object"]


class Compiled:
    """A schema that a client sent; *path* is where in the request it was.

    It blocks while it is made for the first time: make it in a thread. No schema is ever fetched.
    """

    def __init__(self, schema: object, path: str) -> None:
        try:
            self._validator = _library().validator_for(schema, retriever=_refuse)
        except ValueError as error:
            what = getattr(error, "message", None) or str(error)
            message = f"$.{path}: no valid JSON Schema: {_short(what)}"
            raise BadRequestError(message, param=path) from None

    def faults(self, value: object) -> list[str]:
        """What of *value* does not fit, with JSON paths; empty when all of it does."""
        found = []
        for fault in self._validator.iter_errors(value):
            found.append(f"${written(fault.instance_path)}: {_short(fault.message)}")
            if len(found) >= FAULTS:
                break
        return found


@cache
def _library() -> Any:
    return importlib.import_module("jsonschema_rs")


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not part of it")


def _short(text: str) -> str:
    text = text.partition("\n")[0]
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
