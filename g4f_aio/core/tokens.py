"""Token counts without a tokenizer: an estimate for answers whose upstream reports none."""

from __future__ import annotations

import bisect
import re

import attrs

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
    return TokenCount().plus(text).tokens


@attrs.frozen
class TokenCount:
    """The same estimate for a text that comes in pieces, none of which is kept."""

    _wide: int = 0
    _bytes: int = 0

    @property
    def tokens(self) -> int:
        """The estimate for all pieces together."""
        return self._wide + -(-self._bytes // 4)

    def plus(self, text: str) -> TokenCount:
        """The count with one more piece."""
        if text.isascii():
            return TokenCount(self._wide, self._bytes + len(text))
        narrow = _WIDE.sub("", text)
        size = len(narrow.encode("utf-8", "surrogatepass"))
        return TokenCount(self._wide + len(text) - len(narrow), self._bytes + size)


def clip_to_tokens(text: str, limit: int) -> str:
    """The longest beginning of *text* that is estimated at *limit* tokens or fewer."""
    if limit <= 0:
        return ""
    # no token covers more than four characters
    text = text[: limit * 4]
    lengths = range(len(text) + 1)
    fitting = bisect.bisect_right(lengths, limit, key=lambda size: estimate_tokens(text[:size]))
    return text[: fitting - 1]
