"""What is remembered of a stream of chunks until its end."""

from __future__ import annotations

from typing import Any

from ..core.tokens import tokens_in, weight_of
from .openai_chat_usage import arguments_of

#: characters of a text, and texts, from which on they are weighed rather than kept
_LONG, _MANY = 256, 64


class Said:
    """Which choices there are, that there is content, and about how many tokens it has."""

    #: anything was said, or a tool was called
    content = called = False
    _weight = 0  # without the texts that are not weighed yet

    def __init__(self) -> None:
        self.choices: set[int] = set()
        #: the last chunk with an id
        self.last: dict[str, Any] = {}
        self._texts: list[str] = []

    @property
    def tokens(self) -> int:
        """The estimate for all that was said."""
        if self._texts:
            self._weigh()
        return tokens_in(self._weight)

    def add(self, text: str) -> None:
        """Some text more. It is cheaper to weigh several together, and seldom needed at all."""
        self._texts.append(text)
        if len(text) > _LONG or len(self._texts) > _MANY:
            self._weigh()

    def note(self, chunk: dict[str, Any]) -> tuple[int, ...] | None:
        """Take in what the choices of a chunk say: those that end, or None when one is malformed."""
        choices = chunk.get("choices")
        if type(choices) is not list:
            return () if choices is None else None
        ends: tuple[int, ...] = ()
        for choice in choices:
            if type(choice) is not dict:
                return None
            index = choice.get("index") or 0
            if type(index) is not int:
                return None
            self.choices.add(index)
            delta = choice.get("delta")
            if delta:
                if type(delta) is not dict:
                    return None
                self._delta(delta)
            if choice.get("finish_reason"):
                ends += (index,)
        if chunk.get("id"):
            self.last = chunk
        return ends

    def note_plain(self, chunks: list[Any]) -> bool:
        """Take many chunks in; False, with nothing counted, when one of them is special."""
        weight, texts = self._weight, self._texts.copy()
        for chunk in chunks:
            if (
                type(chunk) is not dict
                or chunk.get("usage")
                or chunk.get("error")
                or not chunk.get("choices")
                or self.note(chunk) != ()
            ):
                self._weight, self._texts = weight, texts
                return False
        return True

    def _delta(self, delta: dict[str, Any]) -> None:
        for key, value in delta.items():
            if value and key != "role":
                self.content = True
                if type(value) is str:
                    self.add(value)
                elif key == "tool_calls":
                    self.called = True
                    self.add(arguments_of(value))

    def _weigh(self) -> None:
        self._weight += weight_of("".join(self._texts))
        self._texts.clear()
