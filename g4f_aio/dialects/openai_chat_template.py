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

    __slots__ = ("_after", "_before", "_between", "_cut", "_quoted", "_several", "choice")

    def __init__(self, before: bytes, after: bytes, choice: int) -> None:
        self._before = before
        self._after = after
        self._between = after + before
        #: cuts out the text of a chunk; of its one line, and of a whole frame with its quotes
        self._cut = itemgetter(slice(len(before), 1 - len(after)))
        self._quoted = slice(len(before) - 1, 1 - len(after))
        #: bytes that no two frames fit in
        self._several = 2 * (len(before) + len(after))
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
        if type(delta) is not dict or chunk.get("usage") or chunk.get("error"):
            return None
        said = [key for key, value in delta.items() if value]
        if len(said) != 1 or choice.get("finish_reason") or choice.get("logprobs"):
            return None
        key = said[0]
        if key == "role" or type(delta[key]) is not str or type(index) is not int:
            return None
        name = b'"%b":"' % key.encode()
        begin = frame.find(name) + len(name)
        rest = _STRING.match(frame, begin)
        if frame.count(name) != 1 or rest is None:
            return None
        return cls(frame[:begin], frame[rest.end() - 1 :], index)

    def text(self, frame: bytes) -> str | None:
        """The text of a *frame* that fits; None for any other, and where there are several.

        A line end is no part of a JSON string, so that one frame is not taken for more.
        """
        if (
            len(frame) < self._several
            and frame.startswith(self._before)
            and frame.endswith(self._after)
        ):
            try:
                text: str = orjson.loads(frame[self._quoted])
            except orjson.JSONDecodeError:
                return None
            return text
        return None

    def read(self, frames: bytes) -> tuple[str, int] | None:
        """The text of all *frames* and their number when every one of them fits, else None.

        Every frame is cut as if it fitted; putting them together again shows whether they did.
        """
        # in this way CPython finds the ends of lines several times as fast as by splitting
        texts = list(map(self._cut, BytesIO(frames).readlines()[::2]))
        if self._before + self._between.join(texts) + self._after != frames:
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
