"""The text that a request to a tool is about."""

from __future__ import annotations

import re

#: tools print results of texts up to this many characters
PRINTED = 65_536
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "«": "»", "\u2018": "\u2019"}
_FENCE = re.compile(r"\s*```[a-zA-Z0-9]*\n(.*?)\n?```\s*", re.DOTALL)


def payload(match: re.Match[str], text: str) -> str:
    """What *match* captured as ``text``, or else what follows it, without quotes or a code fence."""
    captured = match.groupdict().get("text")
    return unquoted(captured if captured is not None else text[match.end() :])


def unquoted(text: str) -> str:
    """*text* without the blanks, the code fence or the pair of quotes around it."""
    if "```" in text:
        fenced = _FENCE.fullmatch(text)
        if fenced is not None:
            return fenced[1]
    text = text.strip()
    opened = text[:1]
    for end in (text, text.rstrip("?.!")):
        closing = _QUOTES.get(opened)
        if closing is not None and len(end) > 1 and end.endswith(closing):
            inner = end[1:-1]
            if opened not in inner and closing not in inner:
                return inner
    return text
