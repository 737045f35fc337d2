"""JSON: whether a text is some, where it breaks, and the same with line breaks and indents."""

from __future__ import annotations

import re

import orjson

from .payload import PRINTED, unquoted
from .question import Question

TOOL = "Tool: JSON"
_ASKED = re.compile(
    r"\s*(?:please |bitte )?(?:(?:validate|check|lint|verify|parse|prüfe)\b"
    r"|(?:is|ist) (?:this|the following|that|das)\b|(?P<print>pretty[ -]?print|format|indent|beautify"
    r"|prettify|formatiere)\b)"
    r"[^\n{\[\"]{0,60}\bjson\b[^\n{\[\"]{0,60}",
    re.IGNORECASE,
)
_PRINT = re.compile(
    r"\s*(?:please )?(?:pretty[ -]?print|prettify|beautify)\b[ :]*(?=[{\[`\n])", re.IGNORECASE
)
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_DEPTH = 100


def json_text(question: Question) -> str | None:
    """The answer to a request about JSON, or to a message that is nothing but JSON."""
    text = question.text
    asked = _ASKED.match(text) or _PRINT.match(text)
    body = unquoted(text[asked.end() :] if asked else text)
    if asked and not body:
        return None
    if not asked and not body.startswith(("{", "[")):
        return None
    try:
        orjson.loads(body.encode("utf-8", "surrogatepass"))
    except orjson.JSONDecodeError as error:
        return f"That is not valid JSON: {error}.\n\n{TOOL}" if asked else None
    printed = _indented(body)
    if printed is None:
        return f"Valid JSON, but too large to print here.\n\n{TOOL}"
    return (
        f"Valid JSON:\n\n```json\n{printed}\n```\n\n{TOOL} (keys, order and numbers as they came)"
    )


def _indented(text: str) -> str | None:
    """The same JSON on indented lines; None when that is too large.

    It works on the tokens of a text known to be valid, so that duplicate keys and the digits of
    numbers stay as they are.
    """
    pieces: list[str] = []
    depth, size, before = 0, 0, ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        closes = token in ("}", "]")
        depth -= closes
        line = "\n" + "  " * depth
        if closes:
            piece = token if before in ("{", "[") else line + token
        elif before in ("{", "[", ","):
            piece = line + token
        else:
            piece = token
        if token == ":":  # noqa: S105  (of JSON)
            piece = ": "
        depth += token in ("{", "[")
        pieces.append(piece)
        size += len(piece)
        if size > PRINTED or depth > _DEPTH:
            return None
        before = token
    return "".join(pieces)
