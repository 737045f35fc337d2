"""Answers that are JSON, for providers that cannot be held to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import orjson

from ...core.errors import BadRequestError
from ...core.events import Event, Finish, RefusalDelta, TextDelta, ToolCallDelta
from ...core.messages import Message, TextPart
from ...core.models import Capability
from ...core.requests import ChatRequest
from .polyfill import Polyfill
from .schema import Schema
from .text import edited, instructed

#: characters of one delta of the answer
PIECE = 64
#: places in a text at which JSON is looked for, at most
PLACES = 100
_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_BEGINS = re.compile(r"[{\[]")
_FENCE = re.compile(r"\A\s*```[\w-]*[ \t]*\n")


class UnfitAnswerError(BadRequestError):
    """A model did not manage to answer as the request wants it."""

    status = 422
    code = "unprocessable"


class JsonAnswer(Polyfill):
    """Withholds the text until it is JSON that fits *schema*; one more try is asked for.

    An answer that declines, calls tools or was cut off at its limit is handed on as it is: its
    finish reason says so.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        native: Capability = Capability.NONE,
        last: bool = True,
    ) -> None:
        super().__init__(last=last)
        self._schema = schema
        self._native = native
        self._texts: list[str] = []
        self._excused = False
        self._faults: list[str] = []

    def prepare(self, request: ChatRequest) -> ChatRequest:
        """With the form of the answer in the instructions, or as much of it as the provider takes."""
        form = request.response_format or {}
        kept = {"type": "json_object"} if Capability.JSON_OBJECT in self._native else None
        messages = instructed(request.messages, _instructions(form))
        return edited(request, messages=messages, response_format=kept)

    def feed(self, event: Event) -> Iterator[Event]:
        """Everything but the text, which comes with the end, when it fits."""
        match event:
            case TextDelta(text=text):
                self._texts.append(text)
            case ToolCallDelta() | RefusalDelta():
                self._excused = True
                yield from self.close()
                yield event
            case Finish(reason=reason):
                yield from self._end(event, cut=reason not in ("stop", "tool_calls"))
            case _:
                yield event

    def close(self) -> Iterable[Event]:
        """Text that needs not be JSON; what does is held back to its end."""
        if self._excused and self._texts:
            yield TextDelta(self._take())

    def again(self, request: ChatRequest) -> ChatRequest | None:
        """With the answer that did not fit, and what is wrong with it."""
        if not self._faults:
            return None
        wrong = "; ".join(self._faults)
        messages = (
            *request.messages,
            Message("assistant", (TextPart("".join(self._texts)),)),
            Message("user", (TextPart(_REPAIR.format(wrong=wrong)),)),
        )
        return attrs.evolve(request, messages=messages)

    def _end(self, finish: Finish, *, cut: bool) -> Iterator[Event]:
        if self._excused:
            yield from self.close()
            yield finish
            return
        text = "".join(self._texts)
        found = find(text, self._schema)
        if isinstance(found, str):
            yield from _pieces(found)
            yield finish
        elif cut:
            yield from _pieces(_FENCE.sub("", text))
            yield finish
        elif self.last:
            raise UnfitAnswerError(
                f"The model's answer does not fit response_format: {'; '.join(found)}",
                param="response_format",
            )
        else:
            self._faults = found

    def _take(self) -> str:
        text = "".join(self._texts)
        self._texts.clear()
        return text


def find(text: str, schema: Schema) -> str | list[str]:
    """The first JSON in *text* that fits; what is wrong with the best one where none does.

    The whole text, else what is in a fence, else what begins anywhere in it.
    """
    best: list[str] = []
    for candidate in _candidates(text):
        value = _value(candidate)
        if value is _NO_JSON:
            continue
        faults = schema.faults(value)
        if not faults:
            return candidate
        best = best or faults
    return best or ["$: there is no JSON in it" if text.strip() else "$: it is empty"]


def _candidates(text: str) -> Iterator[str]:
    yield text.strip()
    yield from (match[1].strip() for match in _FENCED.finditer(text))
    at = 0
    for _ in range(PLACES):
        begin = _BEGINS.search(text, at)
        if begin is None:
            return
        try:
            _, at = _DECODER.raw_decode(text, begin.start())
        except json.JSONDecodeError as fault:
            if fault.msg.startswith("Unterminated"):
                return
            # not within it: a part of what is broken is not the answer
            at = max(fault.pos, begin.end())
            continue
        except RecursionError:
            return
        yield text[begin.start() : at]


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _NO_JSON


def _pieces(text: str) -> Iterator[Event]:
    for at in range(0, len(text), PIECE):
        yield TextDelta(text[at : at + PIECE])


def schema_of(form: dict[str, Any]) -> object:
    """The schema in a ``response_format`` of the type json_schema; BadRequestError without one."""
    match form:
        case {"json_schema": {"schema": dict() | bool() as schema}}:
            return schema
        case _:
            path = "response_format.json_schema.schema"
            raise BadRequestError(f"$.{path}: required, a JSON Schema", param=path)


def _instructions(form: dict[str, Any]) -> str:
    if form.get("type") != "json_schema":
        return f"{_ONLY_JSON} It must be one JSON object."
    wanted = form["json_schema"]
    told = wanted.get("description")
    about = f" What it is: {told}" if isinstance(told, str) and told else ""
    schema = orjson.dumps(wanted["schema"]).decode()
    return f"{_ONLY_JSON} It must be valid against this JSON Schema.{about}\n{schema}"


_ONLY_JSON = "Answer with JSON alone: no introduction, no explanation, no Markdown fence around it."
_REPAIR = (
    "That answer does not fit: {wrong}. Answer again with nothing but the corrected, complete JSON."
)
_NO_JSON = object()
_DECODER = json.JSONDecoder()
