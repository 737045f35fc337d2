"""Token counts without a tokenizer: an estimate for answers whose upstream reports none."""

from __future__ import annotations

import bisect

import attrs

#: parts of a token in which characters are weighed
_WHOLE = 16
#: letters and white space: more than five characters to a token, as they come in words
_LETTER = 3
#: digits and signs: seldom more than two to a token
_SIGN = 10
_SIGNS = bytes(code for code in range(33, 127) if not chr(code).isalpha())
#: what a character weighs by the first byte of its UTF-8: from which byte on, and how much. Fitted to
#: o200k_base, the encoding of OpenAI's models; for those of others it is of the right order
_KINDS = (
    (0x80, 0),  # no first byte
    (0xC0, 16),  # Latin letters with a mark
    (0xCE, 7),  # Greek
    (0xD0, 5),  # Cyrillic
    (0xD4, 7),  # Hebrew, Arabic, the scripts of India, Thai
    (0xE1, 10),  # Vietnamese, Georgian, Khmer
    (0xE2, 13),  # Chinese, Japanese, Korean, typographic signs
    (0xF0, 28),  # emoji
)
_ASCII = bytes(_SIGN if code in _SIGNS else _LETTER for code in range(0x80))
_ENDS = (*(first for first, _ in _KINDS[1:]), 0x100)
_WEIGHTS = _ASCII + b"".join(
    bytes((weight,)) * (end - first) for (first, weight), end in zip(_KINDS, _ENDS, strict=True)
)
_DISTINCT = frozenset(_WEIGHTS)
#: bytes from which on it is faster to count each weight than to add them up
_LONG = 1024


def weight_of(text: str) -> int:
    """What *text* weighs; the weights of several texts add up."""
    data = text.encode("utf-8", "surrogatepass")
    if text.isascii():  # the same, several times as fast
        signs = len(data) - len(data.translate(None, _SIGNS))
        return len(data) * _LETTER + signs * (_SIGN - _LETTER)
    weights = data.translate(_WEIGHTS)
    if len(weights) < _LONG:
        return sum(weights)
    return sum(one * weights.count(one) for one in _DISTINCT)


def tokens_in(weight: int) -> int:
    """About how many tokens weigh so much, rounded up."""
    return -(-weight // _WHOLE)


def estimate_tokens(text: str) -> int:
    """About how many tokens *text* has, rounded up: every character weighs by its kind.

    Linear in the length of *text*, and never smaller for a longer text than for its beginning.
    """
    return tokens_in(weight_of(text))


@attrs.frozen
class TokenCount:
    """The same estimate for a text that comes in pieces, none of which is kept."""

    _weight: int = 0

    @property
    def tokens(self) -> int:
        """The estimate for all pieces together."""
        return tokens_in(self._weight)

    def plus(self, text: str) -> TokenCount:
        """The count with one more piece."""
        return TokenCount(self._weight + weight_of(text))


def clip_to_tokens(text: str, limit: int) -> str:
    """The longest beginning of *text* that is estimated at *limit* tokens or fewer."""
    if limit <= 0:
        return ""
    # no token covers more characters than that
    text = text[: limit * -(-_WHOLE // _LETTER)]
    lengths = range(len(text) + 1)
    fitting = bisect.bisect_right(lengths, limit, key=lambda size: estimate_tokens(text[:size]))
    return text[: fitting - 1]
