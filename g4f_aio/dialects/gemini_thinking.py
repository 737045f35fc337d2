"""What thinking takes on Gemini's wire: how much of it is asked for, and the signatures of thoughts.

https://ai.google.dev/gemini-api/docs/thinking and https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from __future__ import annotations

import math
import re
from typing import Any

import attrs

from ..core.errors import UnsupportedError
from ..core.messages import ToolCall

#: the first one that thinks, the first one that takes levels and wants its signatures back
THINKING = 2.5
LEVELS = 3.0
#: stands for the signature of a call that this model did not write itself
UNSIGNED = "skip_thought_signature_validator"
#: thinking tokens for each effort, as Google's own OpenAI face has them
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
_GENERATION = re.compile(r"gemini-(\d+(?:\.\d+)?)(?:-|$)")
_LATEST = re.compile(r"gemini-[a-z-]+-latest")
#: families that answer without a thought to show
_SILENT = ("-tts", "-live", "-audio")
_SILENT_ONCE = (*_SILENT, "-image", "-computer-use")


def generation(model: str) -> float | None:
    """The generation in a model's name, such as 2.5; None for one that is named otherwise."""
    name = model.rpartition("/")[2]
    if found := _GENERATION.match(name):
        return float(found[1])
    return math.inf if _LATEST.fullmatch(name) else None


def thinks(model: str) -> bool:
    """Whether a model is known to show its thoughts; others refuse to be asked for them."""
    age = generation(model)
    if age is None or age < THINKING:
        return False
    return not any(word in model for word in (_SILENT if age >= LEVELS else _SILENT_ONCE))


def thinking_config(model: str, effort: str | None, *, thoughts: bool) -> dict[str, Any] | None:
    """``thinkingConfig`` for OpenAI's ``reasoning_effort``; None where there is nothing to say.

    *thoughts*: show them. UnsupportedError for an effort that the model has no word for.
    """
    shown = {"includeThoughts": True} if thoughts else {}
    age = generation(model)
    if effort is None:
        return shown if shown and thinks(model) else None
    if effort == "none":
        if age is not None and age >= LEVELS:
            raise _unsupported(f"{model} always thinks; the least it knows is minimal")
        return {"thinkingBudget": 0}
    if age is not None and age < LEVELS:
        if effort not in _BUDGETS:
            raise _unsupported(f"{model} knows none, {', '.join(_BUDGETS)}")
        return {"thinkingBudget": _BUDGETS[effort], **shown}
    if effort == "minimal" and "-pro" in model:
        effort = "low"  # the least that the larger ones know
    return {"thinkingLevel": effort.upper(), **shown}


def _unsupported(what: str) -> UnsupportedError:
    return UnsupportedError(f"$.reasoning_effort: {what}", param="reasoning_effort")


@attrs.define
class Signatures:
    """The signatures of tool calls, by id and name: clients of other dialects do not send them back.

    The oldest are forgotten when together they are longer than *limit*.
    """

    limit: int = 16 * 2**20
    _kept: dict[tuple[str, str], str] = attrs.field(factory=dict, init=False, repr=False)
    _size: int = attrs.field(default=0, init=False)

    def keep(self, id_: str, name: str, signature: str) -> None:
        """Remember the signature of a call."""
        self._forget((id_, name))
        self._kept[id_, name] = signature
        self._size += len(signature)
        while self._size > self.limit:
            self._forget(next(iter(self._kept)))

    def of(self, calls: tuple[ToolCall, ...], model: str) -> list[str | None]:
        """What to sign the calls of one message with: the newer models refuse an unsigned first one."""
        found = [self._kept.get((call.id, call.name)) for call in calls]
        age = generation(model)
        if found and age is not None and age >= LEVELS:
            found[0] = found[0] or UNSIGNED
        return found

    def _forget(self, key: tuple[str, str]) -> None:
        self._size -= len(self._kept.pop(key, ""))
