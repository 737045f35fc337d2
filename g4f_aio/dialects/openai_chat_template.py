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
        said = [key for key in delta if delta[key]] if type(delta) is dict else ()
        if len(said) != 1 or type(delta[said[0]]) is not str or type(index) is not int:
            return None
        if chunk.get("usage") or chunk.get("error"):
            return None
        if choice.get("finish_reason") or choice.get("logprobs") or said[0] == "role":
            return None
        name = b'"%b":"' % said[0].encode()
        begin = frame.find(name) + len(name)
        rest = _STRING.match(frame, begin)
        if frame.count(name) != 1 or rest is None:
            return None
        return cls(frame[:begin], frame[rest.end() - 1 :], index)

    def text(self, frame: bytes) -> str | None:
        """The text of a *frame* that fits; None for any other, and where there are several.

        A JSON string holds no line end, so that several are never taken for one.
        """
        begin, end = self._begin, self._end
        if (
            len(frame) < 2 * (begin - end)  # else there may be two
            and frame.startswith(self._before)
            and frame.endswith(self._after)
        ):
            try:
                text: str = orjson.loads(frame[begin - 1 : end + 1])  # its quotes included
            except orjson.JSONDecodeError:
                return None
            return text
        return None

    def read(self, frames: bytes) -> tuple[str, int] | None:
        """The text of all *frames* and their number when every one of them fits, else None.

        Every frame is cut as if it fitted; putting them together again shows whether they did.
        """
        before, after = self._before, self._after
        # in this way CPython finds the ends of lines several times as fast as by splitting
        lines = BytesIO(frames).readlines()[::2]
        texts = list(map(itemgetter(slice(self._begin, self._end + 1)), lines))
        if before + (after + before).join(texts) + after != frames:
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
