"""How long a Claude model thinks and answers, as far as its name tells.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking,
https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from ..core.errors import UnsupportedError
from ..core.messages import Message, Thought

#: how thinking can be asked for: ``adaptive`` leaves the depth to the model, at some effort;
#: ``budget`` counts tokens; ``auto`` goes by the model's name
FORMS = ("auto", "adaptive", "budget")

_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
#: of a Claude whose name has no number: they are all recent
_RECENT = (99, 0)
#: the first version that takes adaptive thinking; budgets are on their way out since then
_ADAPTIVE = (4, 6)
#: from which version on so many tokens may be asked for
_LENGTHS = (((3, 7), 32_000), ((3, 5), 8_192))
_SHORTEST = 4_096
#: the API takes no smaller budget
_LEAST = 1_024
#: stands for the signature of a thought of another API's model, which nobody signed: clients keep
#: no thought without one
SEAL = "g4f_aio"
#: tokens of thinking for OpenAI's words
_BUDGETS = {
    "minimal": _LEAST,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 24_576,
}
#: what the API calls them, where it differs
_EFFORTS = {"minimal": "low"}


@attrs.frozen
class Depth:
    """What a request says about length and thinking, in the API's own words."""

    max_tokens: int
    thinking: dict[str, Any] | None = None
    effort: str | None = None


def depth_of(
    model: str,
    effort: str | None,
    max_tokens: int | None,
    *,
    form: str = "auto",
    default: int | None = None,
) -> Depth:
    """The depth that OpenAI's *effort* and *max_tokens* mean for *model*.

    *default* bounds an answer whose length the caller left open; without one the model's name
    decides. There, thinking comes on top; a bound of the caller's holds for both together.
    """
    version = _version(model)
    adaptive = form == "adaptive" or (form == "auto" and version >= _ADAPTIVE)
    bound = (default or _length(version)) if max_tokens is None else max_tokens
    if effort is None:
        return Depth(bound)
    if effort == "none":
        return Depth(bound, {"type": "disabled"})
    if adaptive:
        # many models keep their thoughts to themselves unless told otherwise
        shown = {"type": "adaptive", "display": "summarized"}
        return Depth(bound, shown, _EFFORTS.get(effort, effort))
    budget = _BUDGETS.get(effort)
    if budget is None:
        raise UnsupportedError(
            f"$.reasoning_effort: must be one of none, {', '.join(_BUDGETS)}",
            param="reasoning_effort",
        )
    if max_tokens is None:
        bound = max(bound, budget + _SHORTEST)
    elif bound <= _LEAST:
        raise UnsupportedError(
            f"$.reasoning_effort: {model} thinks in {_LEAST} tokens or more, which leaves none of "
            f"max_tokens {bound} for an answer",
            param="reasoning_effort",
        )
    else:
        budget = min(budget, max(_LEAST, bound // 2))
    return Depth(bound, {"type": "enabled", "budget_tokens": budget})


def effort_of(budget: int) -> str:
    """OpenAI's word for a budget of tokens: the smallest that allows as much.

    Few models know a word for more than ``high``, and clients ask for as much as there can be.
    """
    words = ("low", "medium")
    return next((word for word in words if budget <= _BUDGETS[word]), "high")


def _version(model: str) -> tuple[int, int]:
    """Major and minor version; zeros for a model that is no Claude."""
    found = _VERSION.search(model)
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return _RECENT if "claude" in model else (0, 0)


def _length(version: tuple[int, int]) -> int:
    return next((length for since, length in _LENGTHS if version >= since), _SHORTEST)


@attrs.define
class SealedThoughts:
    """What a model thought before it called tools, by the id of the first call.

    Clients of other dialects do not send it back; the API wants it. The oldest are forgotten when
    together they are longer than *limit* characters.
    """

    limit: int = 16 * 2**20
    _kept: dict[str, tuple[dict[str, Any], ...]] = attrs.field(factory=dict, init=False, repr=False)
    _size: int = attrs.field(default=0, init=False)

    def keep(self, id_: str, thoughts: Sequence[Thought]) -> None:
        """Remember what was thought before the call of that id."""
        self._forget(id_)
        self._kept[id_] = tuple(map(thought_block, thoughts))
        self._size += _size(self._kept[id_])
        while self._size > self.limit:
            self._forget(next(iter(self._kept)))

    def before(self, id_: str) -> tuple[dict[str, Any], ...]:
        """The blocks to put before the call of that id; none where nothing is known."""
        return self._kept.get(id_, ())

    def led_to(
        self, message: Message, calls: Sequence[dict[str, Any]], provider: str
    ) -> Iterable[dict[str, Any]]:
        """The blocks to put before what a *message* of the model says and its *calls*.

        Those that came with it are only for the *provider* that they are of.
        """
        own = [thought_block(one) for one in message.thoughts if one.by == provider]
        return own or (self.before(calls[0]["id"]) if calls else ())

    def _forget(self, id_: str) -> None:
        self._size -= _size(self._kept.pop(id_, ()))


def _size(blocks: Sequence[dict[str, Any]]) -> int:
    return sum(len(text) for block in blocks for text in block.values())


def thought_block(thought: Thought) -> dict[str, Any]:
    """A thought as the API writes it."""
    if thought.redacted is not None:
        return {"type": "redacted_thinking", "data": thought.redacted}
    seal = SEAL if thought.signature is None else thought.signature
    return {"type": "thinking", "thinking": thought.text, "signature": seal}


def is_thought(block: dict[str, Any]) -> bool:
    """Whether a block is one, redacted or not."""
    return block.get("type") in ("thinking", "redacted_thinking")
