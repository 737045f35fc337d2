"""How upstreams of OpenAI's chat completions differ, where a request is written for them anew.

A request that a client of the same dialect wrote goes as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..core.messages import Message

#: which thoughts of earlier answers an upstream gets back, as ``reasoning_content``: none; those of
#: turns in which tools were called; the same, and an empty one beside calls where none is known; all
REASONING = ("never", "tools", "required", "always")


@attrs.frozen
class Quirks:
    """What one upstream takes. *reasoning* is one of ``REASONING``.

    *max_completion_tokens*: it wants the bound of an answer by this name and not as ``max_tokens``.
    """

    reasoning: str = "always"
    max_completion_tokens: bool = False

    def taken(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The *messages* with those of their thoughts that the upstream takes.

        A turn begins with what the user says and ends before he speaks again.
        """
        if self.reasoning == "always":
            return messages
        taken: list[Message] = []
        turn: list[Message] = []
        for message in messages:
            if message.role == "user":
                taken += self._thoughts_of(turn)
                turn = []
            turn.append(message)
        taken += self._thoughts_of(turn)
        return taken

    def _thoughts_of(self, turn: Sequence[Message]) -> Iterator[Message]:
        wanted = self.reasoning != "never" and any(message.tool_calls for message in turn)
        for message in turn:
            if message.reasoning is not None and not wanted:
                yield attrs.evolve(message, reasoning=None)
            elif self.reasoning == "required" and message.tool_calls and message.reasoning is None:
                yield attrs.evolve(message, reasoning="")
            else:
                yield message
