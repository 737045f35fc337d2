"""Base64 and hashes of a text, byte for byte."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from .payload import PRINTED, payload
from .question import Question

_ASK = r"\s*(?:please |calculate |compute |give me |show me |make |what(?:'s| is) |was ist )?"
_HASH = r"(?P<name>md-?5|sha-?(?:1|224|256|384|512))(?:[ -]?(?:hash|sum|checksum|digest))?"
_BASE64 = r"(?:base-?64|b64)"
_ABOUT = r"(?:\s+(?:of|for|von)\b|\s*:)(?:\s*(?:the )?(?:text|string)\b:?)?"


def _before(operation: str) -> re.Pattern[str]:
    """``operation of TEXT``."""
    return re.compile(rf"{_ASK}(?:the |a |an |der )?{operation}{_ABOUT}", re.IGNORECASE)


def _command(operation: str) -> re.Pattern[str]:
    """``operation TEXT``."""
    return re.compile(
        rf"\s*{operation}(?:\s*:|\s+(?:this|the (?:text|string))\b:?|\s)", re.IGNORECASE
    )


def _around(verb: str, operation: str) -> re.Pattern[str]:
    """``verb TEXT with operation``."""
    return re.compile(
        rf"{_ASK}{verb} (?P<text>.{{1,2000}}?) (?:with|using|as|to|in|into|from|mit|nach|von)"
        rf" {operation}\s*+[?.]?+\s*+",
        re.IGNORECASE | re.DOTALL,
    )


_HASHES = (_around("(?:hash|digest)", _HASH), _before(_HASH), _command(_HASH))
_DECODINGS = (
    _around("(?:decode|dekodiere)", _BASE64),
    _command(rf"(?:{_BASE64}[ -]decode|(?:decode|dekodiere)(?: the| this)? {_BASE64})"),
)
_ENCODINGS = (
    _around("(?:encode|convert|kodiere)", _BASE64),
    _before(rf"{_BASE64}(?: encoding)?"),
    _command(rf"(?:{_BASE64}[ -]encode|(?:encode|kodiere)(?: to| in| as| nach) {_BASE64})"),
)
_WORDS = re.compile(r"base-?64|b64|md-?5|sha-?\d", re.IGNORECASE)


def encodings(question: Question) -> str | None:
    """The answer to a request for a hash or for base64; None when it is none."""
    text = question.text
    if not _WORDS.search(text, 0, 2100):
        return None
    if match := _request(_HASHES, text):
        return _hashed(match["name"], payload(match, text))
    if match := _request(_DECODINGS, text):
        return _decoded(payload(match, text))
    if match := _request(_ENCODINGS, text):
        return _encoded(payload(match, text))
    return None


def _request(patterns: tuple[re.Pattern[str], ...], text: str) -> re.Match[str] | None:
    """The first of the patterns that fits: one around the payload, or one before it."""
    around, *leading = patterns
    return around.fullmatch(text) or next(filter(None, (p.match(text) for p in leading)), None)


def _hashed(name: str, text: str) -> str | None:
    if not text:
        return None
    name = name.lower().replace("-", "")
    data = text.encode("utf-8", "surrogatepass")
    digest = hashlib.new(name, data, usedforsecurity=False).hexdigest()
    return f"{digest}\n\nTool: {name} of {_bytes(data)}{_shown(text)}"


def _encoded(text: str) -> str | None:
    if not text:
        return None
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > PRINTED:
        return f"That is too long to print: base64 works on up to {PRINTED} bytes here."
    return f"{base64.b64encode(data).decode()}\n\nTool: base64 of {_bytes(data)}{_shown(text)}"


def _decoded(text: str) -> str | None:
    coded = "".join(text.split()).strip("`")
    if not coded:
        return None
    if len(coded) > PRINTED:
        return f"That is too long to print: base64 works on up to {PRINTED} characters here."
    plain = coded.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return "That is not base64.\n\nTool: base64 decoder"
    try:
        return f"{data.decode()}\n\nTool: base64 decoder ({_bytes(data)})"
    except UnicodeDecodeError:
        return (
            f"{data.hex(' ')}\n\nTool: base64 decoder ({len(data)} bytes, not UTF-8 text; in hex)"
        )


def _bytes(data: bytes) -> str:
    return f"{len(data)} UTF-8 byte{'' if len(data) == 1 else 's'}"


def _shown(text: str) -> str:
    """The text that was used, when it is short: it may not be what was meant."""
    return f": {text}" if len(text) <= 80 and "\n" not in text else ""  # noqa: PLR2004
