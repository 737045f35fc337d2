"""Tools, for providers whose models are sent and give nothing but text."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

import attrs
import orjson

from ...core.errors import BadRequestError, UnsupportedError
from ...core.events import Event, Finish, TextDelta, ToolCallDelta
from ...core.messages import Message, TextPart
from ...core.requests import ChatRequest, Tool
from .call_parser import END_TAG, TAG, Arguments, Called, CallParser
from .json_answer import UnfitAnswerError
from .polyfill import Polyfill
from .text import edited, instructed
from .tool_history import as_texts

#: how the result of a tool begins, and how much of the text after a call is looked at
INVENTED = re.compile("<tool_(?:result|response|output)")
LOOKED_AT = 1000
#: options of a request that are about its tools
_OPTIONS = frozenset(("parallel_tool_calls", "functions", "function_call"))


@attrs.frozen
class ToolChoice:
    """Which *tools* may be called; *forced*: one of them must be."""

    tools: tuple[Tool, ...]
    forced: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tools."""
        return tuple(tool.name for tool in self.tools)


class Tools(Polyfill):
    """Describes the tools to the model and reads its calls out of its text."""

    def __init__(self, request: ChatRequest, *, last: bool = True) -> None:
        super().__init__(last=last)
        self._choice = tool_choice(request)
        self._single = request.options.get("parallel_tool_calls") is False
        self._parser = CallParser(self._choice.names)
        self._calls = 0
        self._texts: list[str] = []
        self._missed = False
        self._after = ""

    def prepare(self, request: ChatRequest) -> ChatRequest:
        """With tools, calls and results as texts."""
        messages = as_texts(request.messages)
        if self._choice.tools:
            told = _instructions(self._choice, single=self._single)
            messages = instructed(messages, told)
        options = {name: value for name, value in request.options.items() if name not in _OPTIONS}
        return edited(request, messages=messages, tools=(), tool_choice=None, options=options)

    def feed(self, event: Event) -> Iterator[Event]:
        """Text up to the first call, and calls."""
        if self.done:
            return
        match event:
            case TextDelta(text=text) if self._choice.tools:
                yield from self._pieces(self._parser.feed(text))
            case Finish(reason=reason):
                yield from self.close()
                yield from self._end(event, cut=reason != "stop")
            case _:
                yield event

    def close(self) -> Iterator[Event]:
        """What was held back of a text."""
        if not self.done:
            yield from self._pieces(self._parser.close())

    def again(self, request: ChatRequest) -> ChatRequest | None:
        """With the answer that calls nothing."""
        if not self._missed:
            return None
        names = ", ".join(self._choice.names)
        messages = (
            *request.messages,
            Message("assistant", (TextPart("".join(self._texts)),)),
            Message("user", (TextPart(_REPAIR.format(names=names)),)),
        )
        return attrs.evolve(request, messages=messages)

    def _pieces(self, pieces: Iterator[str | Called | Arguments]) -> Iterator[Event]:
        try:
            for piece in pieces:
                match piece:
                    case str():
                        yield from self._text(piece)
                    case Called(name=name):
                        if self._choice.forced and not self._calls and self._texts:
                            yield TextDelta("".join(self._texts))
                        call_id = f"call_{secrets.token_hex(12)}"
                        yield ToolCallDelta(self._calls, call_id, name)
                        self._calls += 1
                    case Arguments(text=text, last=last):
                        if text:
                            yield ToolCallDelta(self._calls - 1, arguments=text)
                        if last and self._single:
                            self.done = True
                if self.done:
                    yield Finish("tool_calls")
                    return
        except ValueError as error:
            raise UnfitAnswerError(
                f"The model's call of a tool is no JSON: {error}", param="tools"
            ) from None

    def _text(self, text: str) -> Iterator[Event]:
        if not self._calls:
            if self._choice.forced:
                self._texts.append(text)
            else:
                yield TextDelta(text)
            return
        # there is no place for text after a call; but a model that invents results is to be stopped
        self._after = (self._after + text)[-LOOKED_AT:]
        if INVENTED.search(self._after):
            self.done = True

    def _end(self, finish: Finish, *, cut: bool) -> Iterator[Event]:
        if self._calls:
            if self._parser.in_call and not cut:
                raise UnfitAnswerError(
                    "The model's call of a tool ends in its middle", param="tools"
                )
            yield finish if cut else attrs.evolve(finish, reason="tool_calls")
        elif self._choice.forced and not cut:
            if self.last:
                raise UnfitAnswerError(
                    f"The model called none of: {', '.join(self._choice.names)}",
                    param="tool_choice",
                )
            self._missed = True
        else:
            if self._texts:
                yield TextDelta("".join(self._texts))
            yield finish


def tool_choice(request: ChatRequest) -> ToolChoice:
    """What of the tools of *request* may or must be called; UnsupportedError for what cannot be."""
    if request.options.get("functions"):
        raise UnsupportedError(
            "$.functions: the provider has no tools, and the gateway supplies them only as tools",
            param="functions",
        )
    found = []
    for at, tool in enumerate(request.tools):
        if not isinstance(tool, Tool):
            path = f"tools[{at}].type"
            raise UnsupportedError(f"$.{path}: no {tool.type!r} can be supplied", param=path)
        found.append(tool)
    tools = tuple(found)
    match request.tool_choice:
        case None | "auto":
            return ToolChoice(tools)
        case "none":
            return ToolChoice(())
        case "required" | "any":
            return ToolChoice(tools, forced=True)
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice(_named(tools, {name}), forced=True)
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(listed)},
        }:
            names = {_name(one) for one in listed}
            return ToolChoice(_named(tools, names), forced=mode == "required")
        case _:
            raise BadRequestError(
                "$.tool_choice: must be none, auto, required, a function or allowed_tools",
                param="tool_choice",
            )


def _named(tools: tuple[Tool, ...], names: set[str | None]) -> tuple[Tool, ...]:
    found = tuple(tool for tool in tools if tool.name in names)
    if not found:
        raise BadRequestError("$.tool_choice: names none of the tools", param="tool_choice")
    return found


def _name(listed: Any) -> str | None:
    match listed:
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return name
        case _:
            return None


def _instructions(choice: ToolChoice, *, single: bool) -> str:
    described = "\n".join(orjson.dumps(_described(tool)).decode() for tool in choice.tools)
    if len(choice.tools) == 1 and choice.forced:
        must = f"You must call {choice.names[0]} now."
    elif choice.forced:
        must = "You must call at least one of them now."
    else:
        must = "Call them only when they help; otherwise just answer."
    many = "Call one tool at a time." if single else "To call several, write several such blocks."
    return f"{_INTRODUCTION}\n{described}\n\n{_FORMAT}\n{many} {must}"


def _described(tool: Tool) -> dict[str, Any]:
    schema = tool.parameters or {"type": "object", "properties": {}}
    said = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **said, "parameters": schema}


_INTRODUCTION = "You can call these tools (one JSON object each, with the schema of its arguments):"
_FORMAT = f"""\
To call a tool, write exactly this, without a Markdown fence, and nothing after it:
{TAG}
{{"name": "the tool's name", "arguments": {{"an argument": "its value"}}}}
{END_TAG}
The arguments are strict JSON. You get the result in the next message; never make one up."""
_REPAIR = (
    f"That calls no tool, and you must call one of: {{names}}. Write nothing but a {TAG} block"
    " in the form described above."
)
