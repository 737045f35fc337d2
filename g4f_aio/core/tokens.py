"""Token counts without a tokenizer: an estimate for answers whose upstream reports none."""

from __future__ import annotations

import bisect
import re

#: scripts in which one character is about one token: CJK, kana, hangul, full-width forms
_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U00020000-\U0003ffff]+"
)


def estimate_tokens(text: str) -> int:
    """About how many tokens *text* has: a quarter of its UTF-8 bytes, rounded up.

    A character of a script that is written without spaces counts as one token. Linear in the
    length of *text*, and never smaller for a longer text than for its beginning.
    """
    if text.isascii():
        return -(-len(text) // 4)
    narrow = _WIDE.sub("", text)
    size = len(narrow.encode("utf-8", "surrogatepass"))
    return len(text) - len(narrow) + -(-size // 4)


def clip_to_tokens(text: str, limit: int) -> str:
    """The longest beginning of *text* that is estimated at *limit* tokens or fewer."""
    if limit <= 0:
        return ""
    # no token covers more than four characters
    text = text[: limit * 4]
    lengths = range(len(text) + 1)
    fitting = bisect.bisect_right(lengths, limit, key=lambda size: estimate_tokens(text[:size]))
    return text[: fitting - 1]
