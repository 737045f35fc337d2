"""Requests of Gemini's ``generateContent``.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..core.errors import BadRequestError, UnsupportedError
from ..core.requests import ChatRequest, OtherTool, Tool
from .foreign import Other, demand_translatable
from .gemini_contents import Contents, is_video
from .gemini_thinking import Signatures, thinking_config

Json = dict[str, Any]

#: options that change an answer, and that this API has no word for
_UNAVAILABLE = ("logit_bias", "verbosity", "functions", "function_call", "audio")
#: what a search in the web is called by other APIs and by this one
_SEARCH = frozenset(("web_search", "web_search_preview", "google_search", "googleSearch"))
_TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}


def encode(request: ChatRequest, model: str, signatures: Signatures, *, thoughts: bool) -> Json:
    """The request's body. *thoughts*: the model is to show them."""
    for name in _UNAVAILABLE:
        if request.options.get(name):
            raise UnsupportedError(f"$.{name}: Gemini's API has no such parameter", param=name)
    demand_translatable(request, "gemini", _takes)
    contents = Contents()
    for index, message in enumerate(request.messages):
        contents.add(message, f"messages[{index}]", partial(signatures.of, model=model))
    system, turns = contents.system, contents.turns
    if system and (not turns or not _takes_instructions(model)):
        turns, system = _told(system, turns), []
    optional = {
        "systemInstruction": {"parts": system} if system else None,
        "tools": _tools(request),
        "toolConfig": _tool_config(request),
        "generationConfig": _generation_config(request, model, thoughts=thoughts),
        "serviceTier": _TIERS.get(str(request.options.get("service_tier"))),
    }
    return {"contents": turns, **_given(optional)}


def _takes(other: Other) -> bool:
    """What of other dialects the API has a word for."""
    match other:
        case OtherTool(type=kind):
            return kind in _SEARCH or other.searches_web
        case _:
            return is_video(other)


def _takes_instructions(model: str) -> bool:
    """Gemma 3 refuses a system instruction: it has no such role."""
    return not model.rpartition("/")[2].startswith("gemma-3")


def _told(system: list[Json], turns: list[Json]) -> list[Json]:
    """The turns with the system's words as the beginning of the user's."""
    if turns and turns[0]["role"] == "user":
        return [{"role": "user", "parts": system + turns[0]["parts"]}, *turns[1:]]
    return [{"role": "user", "parts": system}, *turns]


def _generation_config(request: ChatRequest, model: str, *, thoughts: bool) -> Json | None:
    sampling, options = request.sampling, request.options
    config = _given(
        {
            "temperature": sampling.temperature,
            "topP": sampling.top_p,
            "maxOutputTokens": sampling.max_tokens,
            "stopSequences": list(sampling.stop) or None,
            "seed": sampling.seed,
            "presencePenalty": sampling.presence_penalty,
            "frequencyPenalty": sampling.frequency_penalty,
            "candidateCount": request.n if request.n > 1 else None,
            "responseLogprobs": True if options.get("logprobs") else None,
            "logprobs": options.get("top_logprobs") if options.get("logprobs") else None,
            "responseModalities": _modalities(options.get("modalities")),
            "thinkingConfig": thinking_config(
                model, options.get("reasoning_effort"), thoughts=thoughts
            ),
            **_response_format(request.response_format),
        }
    )
    return config or None


def _modalities(asked: list[str] | None) -> list[str] | None:
    """Text alone goes without saying, and some models refuse to be told."""
    return [kind.upper() for kind in asked] if asked and asked != ["text"] else None


def _response_format(asked: Json | None) -> Json:
    match asked:
        case None | {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return {"responseMimeType": "application/json"}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"responseMimeType": "application/json", "responseJsonSchema": schema}
        case {"type": "json_schema"}:
            raise BadRequestError(
                "$.response_format.json_schema.schema: required field missing",
                param="response_format.json_schema.schema",
            )
        case _:
            raise UnsupportedError(
                f"$.response_format.type: Gemini knows no {asked.get('type')!r}",
                param="response_format.type",
            )


def _tools(request: ChatRequest) -> list[Json] | None:
    declarations = []
    search = request.options.get("web_search_options") is not None
    for index, tool in enumerate(request.tools):
        match tool:
            case Tool():
                declarations.append(_declaration(tool))
            case OtherTool() if _takes(tool):
                search = True
            case OtherTool(type=kind):
                raise UnsupportedError(
                    f"$.tools[{index}].type: Gemini takes no tool of type {kind!r}",
                    param=f"tools[{index}].type",
                )
    tools: list[Json] = [{"functionDeclarations": declarations}] if declarations else []
    if search:
        tools.append({"googleSearch": {}})
    return tools or None


def _declaration(tool: Tool) -> Json:
    declared = {
        "name": tool.name,
        "description": tool.description,
        "parametersJsonSchema": tool.parameters or None,
    }
    return _given(declared)


def _tool_config(request: ChatRequest) -> Json | None:
    """How far the model may choose. Where a tool is strict, its calls must fit its schema."""
    functions = [tool for tool in request.tools if isinstance(tool, Tool)]
    free = "VALIDATED" if any(tool.strict for tool in functions) else "AUTO"
    match request.tool_choice:
        case None | "auto":
            config: Json = {"mode": free}
        case "none":
            config = {"mode": "NONE"}
        case "required":
            config = {"mode": "ANY"}
        case {"type": "function", "function": {"name": str(name)}}:
            config = {"mode": "ANY", "allowedFunctionNames": [name]}
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(allowed)}}:
            config = {
                "mode": "ANY" if mode == "required" else "VALIDATED",
                "allowedFunctionNames": list(_names(allowed)),
            }
        case _:
            raise BadRequestError(
                "$.tool_choice: expected none, auto, required, a function or allowed_tools",
                param="tool_choice",
            )
    if not functions or config == {"mode": "AUTO"}:
        return None
    return {"functionCallingConfig": config}


def _names(allowed: list[Any]) -> Iterator[str]:
    for one in allowed:
        match one:
            case {"function": {"name": str(name)}} | {"name": str(name)}:
                yield name
            case _:
                raise BadRequestError(
                    "$.tool_choice.allowed_tools.tools: expected functions with a name",
                    param="tool_choice.allowed_tools.tools",
                )


def _given(optional: Json) -> Json:
    return {key: value for key, value in optional.items() if value is not None}
