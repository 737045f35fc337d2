"""Logging: the standard library's, rendered by structlog as text or JSON on stderr.

Modules log with ``logging.getLogger(__name__)``. Whatever is logged, by whom and where in a record,
registered secrets are replaced, and so are the values of keys that sound secret.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, TextIO
from urllib.parse import quote

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

#: the id of the request that is being served, for every line it causes
request_id_var: ContextVar[str] = ContextVar("request_id", default="")

MASK = "***"
#: shorter secrets are left alone: they would blot out half of every line
SHORTEST = 4
_SECRET_KEY = re.compile(r"authorization|cookie|api[-_]?key|token|password|secret", re.IGNORECASE)
_BEARER = r"(?<=bearer )[^\s'\",;]+"
#: what could begin a line or turn one around: controls, separators, marks of direction
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)

#: what could end a field or begin another one
_AMBIGUOUS = re.compile(r'[ "=]')


class Redactor:
    """The values that must not be logged. More can be added at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._pattern = re.compile(_BEARER, re.IGNORECASE)
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Leave these out from now on, also as a URL, as JSON or as Python would quote them."""
        for secret in map(str, secrets):
            if len(secret) >= SHORTEST:
                quoted = json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(secret.encode())[2:-1]
                self._known |= {secret, quote(secret, safe=""), *quoted}
        longest_first = sorted(self._known, key=len, reverse=True)
        either = "|".join([*map(re.escape, longest_first), f"(?i:{_BEARER})"])
        self._pattern = re.compile(either)

    def text(self, text: str) -> str:
        """*text* without the secrets."""
        return self._pattern.sub(MASK, text)

    def value(self, value: object) -> Any:
        """*value* as plain data without the secrets; what is no plain data becomes its repr."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case bytes() | bytearray():
                return self.text(value.decode(errors="backslashreplace"))
            case Mapping():
                return {self.text(str(key)): self.entry(key, inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(inner) for inner in value]
            case _:
                return self.text(repr(value))

    def entry(self, key: object, value: object) -> Any:
        """The value of *key* in a mapping. A number is never a secret: ``tokens=12`` stays."""
        match value:
            case None | bool() | int() | float():
                return value
            case _ if _SECRET_KEY.search(str(key)):
                return MASK
            case _:
                return self.value(value)

    def __call__(self, _: object, __: str, event: EventDict) -> EventDict:
        """As a processor of structlog."""
        return {key: self.entry(key, value) for key, value in event.items()}


def configure(
    *,
    format: str,  # noqa: A002  (the setting's name)
    debug: bool,
    secrets: Iterable[str],
    stream: TextIO | None = None,
) -> Redactor:
    """Send all of this process's logging to *stream* (stderr); the answer takes later secrets."""
    redactor = Redactor(secrets)
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler(format, redactor, stream or sys.stderr))
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            *_CONTEXT,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return redactor


def handler(format: str, redactor: Redactor, stream: TextIO) -> logging.Handler:  # noqa: A002
    """A handler that writes lines in *format* ("text" or "json") to *stream*."""
    render: Processor = _as_text if format == "text" else structlog.processors.JSONRenderer()
    found = _Handler(stream)
    found.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*_CONTEXT, structlog.stdlib.ExtraAdder()],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redactor,
                render,
            ],
        )
    )
    return found


class _Handler(logging.StreamHandler[TextIO]):
    """The standard one, but for its report of a faulty record: that would show the arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exc_info()[0]
        kind = error.__name__ if error is not None else "an error"
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            self.stream.write(f"a log record of {record.name}:{record.lineno} is faulty: {kind}\n")


def _add_request_id(_: object, __: str, event: EventDict) -> EventDict:
    request_id = request_id_var.get()
    return {**event, "request_id": request_id} if request_id else event


_CONTEXT: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_request_id,
)


def _as_text(_: object, __: str, event: EventDict) -> str:
    """One line: time, level, logger, request, message, further fields; then the traceback.

    Nothing in it can begin a line that looks like another one, or add a field.
    """
    fields = {
        key: printable(value) for key, value in event.items() if key not in {"exception", "stack"}
    }
    head = [fields.pop("timestamp", ""), f"{fields.pop('level', ''):<8}", fields.pop("logger", "")]
    if "request_id" in fields:
        head.append(f"[{fields.pop('request_id')}]")
    head.append(fields.pop("event", ""))
    line = " ".join(
        [*head, *(f"{printable(key)}={_quoted(value)}" for key, value in fields.items())]
    )
    traces = [str(event[key]) for key in ("exception", "stack") if key in event]
    below = [f"  | {printable(row)}" for trace in traces for row in trace.splitlines()]
    return "\n".join([line, *below])


def _quoted(text: str) -> str:
    """*text* in quotation marks where it could be taken for more than one field."""
    if not text or _AMBIGUOUS.search(text):
        return '"' + text.replace('"', r"\x22") + '"'
    return text


def printable(value: object) -> str:
    """*value* as text that stays on its line: what could break or turn it around is escaped."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))
