"""The shape of a chat completions request on the wire, and its strict structuring."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, cast, get_args

import attrs
import cattrs

from ..core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    OtherPart,
    Part,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
)
from ..core.requests import OtherTool, Tool
from .structure import register, strict_converter, structured, wrong_type


@attrs.frozen
class _Function:
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


@attrs.frozen
class _Tool:
    function: _Function


@attrs.frozen
class _CalledFunction:
    name: str
    arguments: str = ""


@attrs.frozen
class _ToolCall:
    id: str
    function: _CalledFunction


@attrs.frozen
class _CustomInput:
    name: str
    input: str = ""


@attrs.frozen
class _CustomCall:
    id: str
    custom: _CustomInput


# not frozen and not in slots: it is read once, and made in half the time
@attrs.define(slots=False)
class WireMessage:
    """A message, its parts and tool calls already in the core's classes."""

    role: Role
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None


@attrs.frozen
class _StreamOptions:
    include_usage: bool | None = None


# not frozen and not in slots: it is read once, and made in half the time
@attrs.define(slots=False)
class Body:
    """The fields of a request that have a type here; others may be anything."""

    messages: list[WireMessage]
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    tools: list[Tool | OtherTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    logit_bias: dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    service_tier: str | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    # extensions of this gateway; an object as ``provider`` is OpenRouter's and goes upstream
    provider: str | dict[str, Any] | None = None
    proxy: str | None = None
    api_key: str | dict[str, str] | None = None
    conversation_id: str | None = None
    timeout: float | None = None
    cache: bool | None = None
    emulate: bool | None = None
    web_search: bool | str | None = None
    download_media: bool | None = None


def structure(raw: dict[str, Any], known: int = 0) -> Body:
    """The typed fields of a request; BadRequestError with the JSON path of each wrong one.

    The exact converter takes longer, so it only runs to say what the fast one stumbled over. So
    many messages are *known* to be right: the first ones, which are left out.
    """
    try:
        rest = raw | {"messages": raw["messages"][known:]} if known else raw
        return cast(Body, _STRUCTURE(rest, Body))
    except Exception:  # noqa: BLE001  (whatever it was, the exact converter describes it)
        body = structured(raw, Body, _exact())
        del body.messages[:known]
        return body


@attrs.frozen
class _Typed:
    type: str


@attrs.frozen
class _Text:
    text: str


@attrs.frozen
class _Refusal:
    refusal: str


@attrs.frozen
class _ImageURL:
    url: str
    detail: str | None = None


@attrs.frozen
class _Image:
    image_url: _ImageURL | str


@attrs.frozen
class _InputAudio:
    data: str
    format: str


@attrs.frozen
class _Audio:
    input_audio: _InputAudio


@attrs.frozen
class _FileFields:
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


@attrs.frozen
class _File:
    file: _FileFields


def _converter(*, detailed: bool) -> cattrs.Converter:
    converter = strict_converter(detailed=detailed)
    into = converter.structure

    def part(value: Any, _: Any) -> Part:
        if type(value) is not dict:
            raise wrong_type("an object", value)
        kind = value.get("type")
        match kind:
            case "text":
                return TextPart(into(value, _Text).text)
            case "refusal":
                return RefusalPart(into(value, _Refusal).refusal)
            case "image_url":
                image = into(value, _Image).image_url
                if isinstance(image, str):
                    return ImagePart(image)
                return ImagePart(image.url, image.detail)
            case "input_audio":
                audio = into(value, _Audio).input_audio
                return AudioPart(audio.data, audio.format)
            case "file":
                file = into(value, _File).file
                return FilePart(file.file_data, file.file_id, file.filename)
            case _:
                return OtherPart(into(value, _Typed).type, value)

    def tool(value: Any, _: Any) -> Tool | OtherTool:
        if type(value) is dict and value.get("type", "function") != "function":
            return OtherTool(into(value, _Typed).type, value)
        function = into(value, _Tool).function
        return Tool(function.name, function.description, function.parameters, function.strict)

    def tool_call(value: Any, _: Any) -> ToolCall:
        if type(value) is dict and value.get("type") == "custom":
            custom = into(value, _CustomCall)
            return ToolCall(custom.id, custom.custom.name, custom.custom.input, "custom")
        call = into(value, _ToolCall)
        return ToolCall(call.id, call.function.name, call.function.arguments)

    def role(value: Any, _: Any) -> Any:
        if value in _ROLES:
            return value
        raise ValueError(f"must be one of {', '.join(_ROLES)}")

    def content(value: Any, _: Any) -> Any:
        if value is None or type(value) is str:
            return value
        if type(value) is list:
            return into(value, list[Part])
        raise wrong_type("a string, an array of parts or null", value)

    def strings(value: Any, _: Any) -> dict[str, str]:
        for item in value.values():
            if type(item) is not str:
                raise wrong_type("an object of strings", item)
        return cast(dict[str, str], value)

    def union(name: str, *kinds: tuple[type, Any]) -> Any:
        def hook(value: Any, _: Any) -> Any:
            for kind, target in kinds:
                if type(value) is kind:
                    return value if target is kind else into(value, target)
            raise wrong_type(name, value)

        return hook

    text, none = (str, str), (type(None), type(None))
    for cls, hook in (
        (Part, part),
        (Tool | OtherTool, tool),
        (ToolCall, tool_call),
        (Role, role),
        (str | list[Part] | None, content),
        (dict[str, str], strings),
        (
            str | list[str] | None,
            union("a string or an array of strings", text, none, (list, list[str])),
        ),
        (str | dict[str, Any] | None, union("a string or an object", text, none, (dict, dict))),
        (
            str | dict[str, str] | None,
            union("a string or an object of strings", text, none, (dict, dict[str, str])),
        ),
        (bool | str | None, union("a boolean or a string", text, none, (bool, bool))),
        (_ImageURL | str, union("an object with url", text, (dict, _ImageURL))),
    ):
        register(converter, cls, hook)
    return converter


#: what the unions of a body look like on the wire, by the value of ``type``; None: any other value
VARIANTS: dict[Any, dict[str | None, type[attrs.AttrsInstance]]] = {
    Part: {
        "text": _Text,
        "refusal": _Refusal,
        "image_url": _Image,
        "input_audio": _Audio,
        "file": _File,
        None: _Typed,
    },
    Tool | OtherTool: {"function": _Tool, None: _Typed},
    ToolCall: {"function": _ToolCall, "custom": _CustomCall},
}
_ROLES = get_args(Role)
_FAST = _converter(detailed=False)
_exact = cache(partial(_converter, detailed=True))
_STRUCTURE = _FAST.get_structure_hook(Body)
