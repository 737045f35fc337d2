"""Reading many chunks at once, where they are one line of JSON each and little differs.

Most chunks of a stream are the same bytes around another piece of text. Once one of them has been
parsed, a chunk that has the same bytes before and after is well-formed exactly when its text is a
well-formed JSON string; so only the texts are parsed, all of them at once.
"""

from __future__ import annotations

import re
from io import BytesIO
from operator import itemgetter
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
    lines = [frames[6:-2]]
    if b"\n" in lines[0]:
        lines = lines[0].split(b"\n\ndata: ")
        if frames.count(b"\n") != 2 * len(lines):
            return None
    try:
        return list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        return None


class Template:
    """The bytes before and after the text of a chunk; *choice* is the one it belongs to."""

    __slots__ = ("_after", "_before", "_begin", "_end", "choice")

    def __init__(self, before: bytes, after: bytes, choice: int) -> None:
        self._before = before
        self._after = after
        #: where the text begins, and where it ends if nothing follows: less than 0
        self._begin = len(before)
        self._end = -len(after)
        self.choice = choice

    @classmethod
    def of(cls, frame: bytes, chunk: Any) -> Template | None:
        """The template of a plain frame and the chunk parsed from it.

        None unless the chunk has just one choice, which only adds one piece of text.
        """
        choices = chunk.get("choices") if type(chunk) is dict else None
        if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
            return None
        choice = choices[0]
        delta, index = choice.get("delta"), choice.get("index") or 0
        if type(delta) is not dict or type(index) is not int:
            return None
        said = [key for key in delta if delta[key]]
        if len(said) != 1 or said[0] == "role" or type(delta[said[0]]) is not str:
            return None
        if chunk.get("usage") or chunk.get("error"):
            return None
        if choice.get("finish_reason") or choice.get("logprobs"):
            return None
        name = b'"%b":"' % said[0].encode()
        before, _, rest = frame.partition(name)
        text = _STRING.match(rest)
        if text is None or name in rest:
            return None
        return cls(before + name, rest[text.end() - 1 :], index)

    def read(self, frames: bytes) -> tuple[str, int] | None:
        """The text of all *frames* and their number when every one of them fits, else None."""
        before, after = self._before, self._after
        if not (frames.startswith(before) and frames.endswith(after)):
            return None
        begin, end = self._begin, self._end
        try:
            if len(frames) < 2 * (begin - end):  # too few bytes for two
                return orjson.loads(frames[begin - 1 : end + 1]), 1  # the text with its quotes
            # every frame is cut as if it fitted; putting them together again shows whether they did.
            # In this way CPython finds the ends of lines several times as fast as by splitting
            lines = BytesIO(frames).readlines()[::2]
            texts = list(map(itemgetter(slice(begin, end + 1)), lines))
            if before + (after + before).join(texts) + after != frames:
                return None
            written = b'["' + b'","'.join(texts) + b'"]'
            if b'\\"' in written and any(map(_swallows, texts)):
                return None
            found = orjson.loads(written)
            return ("".join(found), len(found)) if len(found) == len(texts) else None
        except (orjson.JSONDecodeError, TypeError):
            return None


def _swallows(text: bytes) -> bool:
    """Whether a text ends with a backslash that would escape the quote after it."""
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
