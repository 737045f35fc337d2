"""Reading many chunks at once, where they are one line of JSON each and little differs.

Most chunks of a stream are the same bytes around another piece of text. Once one of them has been
parsed, a chunk that has the same bytes before and after is well-formed exactly when its text is a
well-formed JSON string; so only the texts are parsed, all of them at once.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

#: the rest of a JSON string and its closing quote; never tried twice, as it may be megabytes long
_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def end_of_plain(frames: bytes) -> int:
    """Where the first chunk that finishes a choice begins, as far as that can be told quickly."""
    end = len(frames)
    # backwards: CPython looks for a text of that kind thirty times as fast from behind
    while (at := frames.rfind(b'"finish_reason":"', 0, end)) >= 0:
        end = frames.rfind(b"\n\n", 0, at) + 2
        if end < 2:  # noqa: PLR2004  (there is no blank line before it)
            return 0
    return end


def load_plain(frames: bytes) -> list[Any] | None:
    """The JSON of frames that are one ``data:`` line each; None when one is anything else."""
    if not (frames.startswith(b"data: ") and frames.endswith(b"\n\n")) or b"\r" in frames:
        return None
    lines = frames[6:-2].split(b"\n\ndata: ")
    if frames.count(b"\n") != 2 * len(lines):
        return None
    try:
        return list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        return None


class Template:
    """The bytes before and after the text of a chunk; *choice* is the one it belongs to."""

    __slots__ = ("_after", "_before", "_between", "choice")

    def __init__(self, before: bytes, after: bytes, choice: int) -> None:
        self._before = before
        self._after = after
        self._between = after + before
        self.choice = choice

    @classmethod
    def of(cls, frame: bytes, chunk: Any) -> Template | None:
        """The template of a plain frame and the chunk parsed from it.

        None unless the chunk has just one choice, which only adds one piece of text.
        """
        match chunk:
            case {"choices": [{"delta": dict() as delta, **choice}]} if not (
                chunk.get("usage")
                or chunk.get("error")
                or choice.get("finish_reason")
                or choice.get("logprobs")
            ):
                said = [key for key, value in delta.items() if value]
            case _:
                return None
        index = choice.get("index") or 0
        if len(said) != 1 or type(delta[said[0]]) is not str or type(index) is not int:
            return None
        name = b'"%b":"' % said[0].encode()
        begin = frame.find(name) + len(name)
        rest = _STRING.match(frame, begin)
        if said[0] == "role" or frame.count(name) != 1 or rest is None:
            return None
        return cls(frame[:begin], frame[rest.end() - 1 :], index)

    def read(self, frames: bytes) -> tuple[str, int] | None:
        """The text of all *frames* and their number when every one of them fits, else None.

        Every frame is cut as if it fitted; putting them together again shows whether they did.
        """
        before, after, between = self._before, self._after, self._between
        begin, end = len(before), 2 - len(after)
        texts = [line[begin:end] for line in frames.split(b"\n")[:-2:2]]
        if before + between.join(texts) + after != frames:
            return None
        written = b'["' + b'","'.join(texts) + b'"]'
        if b'\\"' in written and any(map(_swallows, texts)):
            return None
        try:
            found = orjson.loads(written)
            return ("".join(found), len(found)) if len(found) == len(texts) else None
        except (orjson.JSONDecodeError, TypeError):
            return None


def _swallows(text: bytes) -> bool:
    """Whether a text ends with a backslash that would escape the quote after it."""
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
