"""What kind of file something is, by its first bytes. What a header says counts for text alone."""

from __future__ import annotations

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases

from .signatures import signed

#: what nothing is known about
UNKNOWN = "application/octet-stream"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: how far text is looked at
_LOOK = 4096
#: where a page says what its text is written in
# what strangers write is looked at here: nothing may be tried twice
_META = re.compile(rb"""<meta[^<>]+?charset\s*+=\s*+["']?+\s*+([a-zA-Z0-9_.:-]++)""", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml[^<>]+?encoding\s*+=\s*+["']([a-zA-Z0-9_.:-]++)""")
# atomic, or else a page of nothing but comments would be tried in every combination of them
_COMMENT = rb"(?><!--.*?-->)\s*"
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:" + _COMMENT + rb")*+"
    rb"<(?:!doctype\s+html|html|head|body|script|title|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)
_SVG = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:" + _COMMENT + rb"|<!doctype[^>]*>\s*)*+<svg\b",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_TYPE = re.compile(r"text/[a-z0-9.+-]+|application/(?:[a-z0-9.-]+\+)?(?:json|xml|yaml)")
_CHARSET = re.compile(rb"""charset\s*+=\s*+["']?+\s*+([a-zA-Z0-9_.:-]++)""", re.IGNORECASE)
#: what files of the web may be written in. Python has more codecs: some are its own inventions, of
#: which one takes the square of the time, and what it does not know it keeps in mind for ever
_CHARSETS = frozenset((*aliases.values(), "cp874", "koi8_u")) - {"utf_7"}
#: what no text has in it
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def media_type(data: bytes, declared: str | None = None) -> tuple[str, str | None]:
    """The media type of a file, and of text its charset, by the name that Python has for it.

    *declared* is the header Content-Type. It says which kind of text it is, and in which charset;
    that text is text, and that anything is an image, is never believed without a look.
    """
    if (found := signed(data)) is not None:
        return found, None
    kind, _, parameters = (declared or "").lower().partition(";")
    kind = kind.strip()
    charset = _charset(data, kind, parameters)
    if charset is None:
        return UNKNOWN, None
    head = data[:_LOOK].removeprefix(codecs.BOM_UTF8)
    if _SVG.match(head):
        return "image/svg+xml", charset
    if _PLAIN_TYPE.fullmatch(kind) and kind != "text/plain":
        return kind, charset
    if _HTML.match(head):
        return "text/html", charset
    return ("text/xml" if head.startswith(b"<?xml") else "text/plain"), charset


def _charset(data: bytes, kind: str, parameters: str) -> str | None:
    """What the text in *data* is written in; None when it is no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    if data[:_LOOK].translate(None, _CONTROL) != data[:_LOOK]:
        return None
    head = data[:_LOOK]
    for found in (_CHARSET.search(parameters.encode()), _META.search(head), _XML.search(head)):
        if found is not None and (name := _known(found[1].decode("ascii"))) is not None:
            return name
    try:
        # a character may be cut at the end of what is looked at
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        # what the web falls back to
        return "cp1252" if kind.startswith("text/") or _HTML.match(head) else None
    return "utf-8"


def _known(name: str) -> str | None:
    """The name of a charset as Python has it; None for what is none."""
    key = normalize_encoding(name).lower()
    key = aliases.get(key, key)
    if key not in _CHARSETS:
        return None
    try:
        info = codecs.lookup(key)
    except LookupError:
        return None
    # Python has codecs that are no charsets, such as those for base64 and zip
    if not getattr(info, "_is_text_encoding", True):
        return None
    # as browsers have it
    return "cp1252" if info.name in ("ascii", "iso8859-1") else info.name
