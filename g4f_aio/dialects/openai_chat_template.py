"""Reading many chunks that differ in nothing but their text, without parsing each of them.

Most chunks of a stream are the same bytes around another piece of text. Once one of them has been
parsed, a chunk that has the same bytes before and after is well-formed exactly when its text is a
well-formed JSON string; so only the texts are parsed, all of them at once.
"""

from __future__ import annotations

import re
from typing import Any, cast

import orjson

#: the rest of a JSON string and its closing quote
_STRING = re.compile(rb'(?:[^"\\]|\\.)*"', re.S)


class Template:
    """The bytes before and after the text of a chunk."""

    __slots__ = ("_after", "_before", "_between")

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before = before
        self._after = after
        self._between = after + before

    @classmethod
    def of(cls, frame: bytes, chunk: dict[str, Any]) -> Template | None:
        """The template of a frame and the chunk parsed from it.

        None unless the chunk has just one choice, which only adds one piece of text.
        """
        match chunk:
            case {"usage": dict()} | {"error": dict() | str()}:
                return None
            case {"choices": [{"delta": dict() as delta, **choice}]} if not (
                choice.get("finish_reason") or choice.get("logprobs")
            ):
                said = [key for key, value in delta.items() if value]
            case _:
                return None
        if len(said) != 1 or type(delta[said[0]]) is not str or said[0] == "role":
            return None
        name = b'"%b":"' % said[0].encode()
        begin = frame.find(name) + len(name)
        rest = _STRING.match(frame, begin)
        if frame.count(name) != 1 or rest is None:
            return None
        return cls(frame[:begin], frame[rest.end() - 1 :])

    def texts(self, frames: bytes) -> list[str] | None:
        """The texts of *frames* when all of them fit, else None.

        Every frame is cut as if it fitted; putting them together again shows whether they did.
        """
        before, after, between = self._before, self._after, self._between
        begin, end = len(before), 2 - len(after)
        texts = [line[begin:end] for line in frames.split(b"\n")[:-2:2]]
        if before + between.join(texts) + after != frames:
            return None
        try:
            return cast(list[str], orjson.loads(b'["' + b'","'.join(texts) + b'"]'))
        except orjson.JSONDecodeError:
            return None
