"""The exact tools, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable

from .arithmetic import arithmetic
from .counts import counts
from .dates import Dates
from .encodings import encodings
from .json_text import json_text
from .question import Question
from .units import units

#: gives the answer to a question that is its business, and None otherwise
Tool = Callable[[Question], str | None]


def exact_tools() -> tuple[Tool, ...]:
    """All of them, with this machine's clock."""
    return (encodings, counts, json_text, Dates(), units, arithmetic)
