"""The OpenAPI 3.1 document, from the table of routes and the wire classes of the dialects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .. import __version__
from ..dialects.openai_chat_schema import VARIANTS, Body, WireMessage
from .access import KEY_HEADERS, Access
from .answer_schemas import answer_schemas
from .backend.schemas import PARAMETERS
from .conversations_schemas import conversations_schemas
from .docs import PAGES
from .json_schema import Schema, Schemas
from .messages_schemas import ERRORS, EXAMPLES, STREAMS, messages_schemas
from .operations_schemas import EXAMPLES as OPERATIONS_EXAMPLES
from .operations_schemas import operations_schemas
from .responses_schemas import EXAMPLES as RESPONSES_EXAMPLES
from .responses_schemas import PARAMETERS as RESPONSES_PARAMETERS
from .responses_schemas import STREAMS as RESPONSES_STREAMS
from .responses_schemas import responses_schemas
from .routes import Route, table

_NAMES = {Body: "ChatCompletionRequest", WireMessage: "Message"}
_PARAMETER = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
_ABOUT = """\
One base URL for every model: OpenAI's API, and what this gateway adds to it.

Every path also works with a slash at its end, and every GET also as HEAD. Objects may hold more \
fields than are described here; those of a request are handed on where the provider speaks the \
same API.
"""
_FIELDS = {
    "model": "A model, a provider's name (its default model), `PROVIDER:MODEL`, or nothing for "
    "the default.",
    "stream": "Whether the answer comes as server-sent events.",
    "provider": "The provider to use; an object is handed on.",
    "api_key": "Your own key for the provider: a string, or an object by provider's name.",
    "timeout": "Seconds for the whole answer.",
    "proxy": "An HTTP proxy for this call, where the settings allow it.",
    "conversation_id": "The conversation to continue: what was said in it goes before the messages.",
    "emulate": "Whether the gateway may supply what the provider lacks.",
    "web_search": "A query for the web, of which the model gets what is found; true: the query is "
    "the user's last message.",
}
#: what types cannot say
_LIMITS = {
    "messages": {"minItems": 1},
    "n": {"minimum": 1},
    "timeout": {"exclusiveMinimum": 0},
}
#: fields of features that are still to come
_ABSENT = ("download_media",)
_PARAMETERS = {
    "provider": "A provider's name; capital letters do not count.",
    "conversation_id": "The conversation that is meant.",
    "id": "A model's id; `/` and `:` in it may be percent-encoded or not.",
    "page": "A page of the documentation.",
    "request_id": "The `x-request-id` of a request.",
    "response_id": "The id of a response, where it is kept.",
}
_EXAMPLE = {"model": "", "messages": [{"role": "user", "content": "Hello!"}], "stream": False}
_EXAMPLES = {**EXAMPLES, **RESPONSES_EXAMPLES, **OPERATIONS_EXAMPLES}
_STREAMS = {**STREAMS, **RESPONSES_STREAMS}
#: response components by status: name and description
_ERRORS = {
    400: ("BadRequest", "The request is wrong; the message names the field by its JSON path."),
    401: ("Unauthorized", "The server has keys, and the request none or a wrong one."),
    403: ("Forbidden", "A key that may not do this or ask for this model, or another site's page."),
    404: ("NotFound", "There is no such URL, model or provider."),
    408: ("RequestTimeout", "The body did not arrive in time."),
    413: ("RequestTooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "The body is not declared as application/json."),
    421: ("MisdirectedRequest", "The Host header is not one of this server."),
    429: (
        "RateLimited",
        "Too much in a minute, for your key or for the provider; try again later.",
    ),
    500: ("InternalError", "A bug of the gateway; report it with the request id."),
    502: ("ProviderFailed", "The provider failed; the message says what it said."),
    503: ("Overloaded", "Not now: too many requests, no provider can, or the server is stopping."),
    504: ("ProviderTimeout", "The provider took too long."),
}
_ANYWHERE = (400, 421, 500)
_BODY = (403, 408, 413, 415)
_UPSTREAM = (404, 429, 502, 503, 504)
_HEADERS = {
    "x-request-id": ("string", "Names this request; a valid one that you send is kept."),
    "request-id": ("string", "The same as `x-request-id`, on the routes of Anthropic's API."),
    "openai-processing-ms": ("integer", "Milliseconds until the answer began."),
    "x-provider": ("string", "Who answered, or failed to."),
    "x-model": ("string", "What that provider calls the model."),
    "x-cache": (
        "string",
        "How the response cache took part: hit, miss, or shared with a request under way.",
    ),
    "x-emulated": ("string", "What the gateway supplied because the provider lacks it."),
    "x-web-search": ("integer", "How many sources the model got, where `web_search` asked for it."),
    "x-attempts": ("string", "Who was asked, in order, and how each failure ended (RFC 9651)."),
    "x-should-retry": ("boolean", "False where another try cannot help."),
    "retry-after": ("integer", "Seconds after which to try again."),
    "retry-after-ms": ("integer", "The same in milliseconds."),
    "x-ratelimit-limit-requests": ("integer", "What your key may ask in a minute, if limited."),
    "x-ratelimit-remaining-requests": ("integer", "How many requests are left of it just now."),
    "x-ratelimit-reset-requests": ("string", "When all are there again, such as `120ms`, `6m0s`."),
    "x-ratelimit-limit-tokens": ("integer", "What your key may use in a minute, if limited."),
    "x-ratelimit-remaining-tokens": ("integer", "How many tokens are left of it just now."),
    "x-ratelimit-reset-tokens": ("string", "When all are there again, such as `120ms`, `6m0s`."),
}
_QUOTA = tuple(name for name in _HEADERS if name.startswith("x-ratelimit-"))
_ALWAYS = ("x-request-id", "openai-processing-ms")


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of the server. It needs no settings, no network and no event loop."""
    paths: dict[str, Any] = {}
    for row in table():
        paths.setdefault(_path(row), {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "g4f_aio",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, table()))],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "headers": dict(_headers()),
            "responses": dict(_responses()),
            "parameters": {
                "x-request-id": {
                    "name": "x-request-id",
                    "in": "header",
                    "description": "Your own name for the request, which comes back in the "
                    "answer: up to 128 of letters, digits, `.`, `_` and `-`. Any other is replaced.",
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": dict(_security()),
        },
    }


def _operation(row: Route) -> dict[str, Any]:
    names = _PARAMETER.findall(row.path)
    parameters = [*map(_parameter, names), *(_query_parameter(row, n) for n in row.asks)]
    asks = bool(row.takes) and not row.dry
    statuses = {*_ANYWHERE, *(_BODY if row.takes else ()), *(_UPSTREAM if asks else ())}
    if names:
        statuses.add(404)
    if row.path == "/readyz" or row.gives == "text/event-stream":
        statuses.add(503)
    if row.access is not Access.PUBLIC:
        statuses.add(401)
    if row.access is Access.ADMIN or "caller" in row.asks:
        statuses.add(403)
    errors = {
        str(status): {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
        for status in sorted(statuses)
    }
    if row.fails in ERRORS:
        same = {"$ref": f"#/components/responses/{row.fails}"}
        errors = {"401": same, "default": same}
    operation: dict[str, Any] = {
        "operationId": "_".join((row.method.lower(), *re.findall(r"\w+", _path(row)))),
        "summary": row.summary,
        "tags": [_tag(row)],
        "parameters": [*parameters, {"$ref": "#/components/parameters/x-request-id"}],
        "responses": {"200": _success(row), **errors},
        "security": [] if row.access is Access.PUBLIC else [*({n: []} for n, _ in _security()), {}],
    }
    if row.takes:
        content = {"schema": _ref(row.takes), "example": _EXAMPLES.get(row.takes, _EXAMPLE)}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if asks and row.fails not in ERRORS:
        # a provider's own 400-class answer about the request keeps its status
        operation["responses"]["4XX"] = {"$ref": "#/components/responses/Refused"}
    return operation


def _parameter(name: str) -> dict[str, Any]:
    schema: Schema = {"type": "string"}
    if name == "page":
        schema["enum"] = list(PAGES)
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PARAMETERS[name],
        "schema": schema,
    }


def _query_parameter(row: Route, name: str) -> dict[str, Any]:
    description, schema = RESPONSES_PARAMETERS.get(row.gives, PARAMETERS)[name]
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _success(row: Route) -> dict[str, Any]:
    headers: tuple[str, ...] = _ALWAYS
    if "/" in row.gives:
        content: dict[str, Any] = {row.gives: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": _ref(row.gives)}}
    if row.streams:
        headers += ("x-provider", "x-model", "x-attempts", "x-cache", "x-emulated", "x-web-search")
        headers += _QUOTA
        content["text/event-stream"] = {
            "schema": {
                "type": "string",
                "description": _STREAMS.get(row.streams)
                or f"Events `data: {{…}}`, each with a {row.streams}, and `data: [DONE]` "
                "as the last one. A stream that fails ends with an Error in its place. Lines that "
                "begin with a colon are comments.",
                "contentMediaType": "application/json",
                "contentSchema": _ref(row.streams),
            }
        }
    return {"description": f"{row.summary}.", "headers": _header_refs(headers), "content": content}


def _responses() -> Iterator[tuple[str, dict[str, Any]]]:
    for status, (name, description) in _ERRORS.items():
        headers: tuple[str, ...] = (*_ALWAYS, "x-should-retry")
        if status in (429, 503):
            headers += ("retry-after", "retry-after-ms")
        if status == 429:  # noqa: PLR2004
            headers += _QUOTA
        yield name, _error(description, headers)
    for name, description in ERRORS.items():
        yield name, _error(description, (*_ALWAYS, "request-id", "x-should-retry"), name)
    yield "Refused", _error("What the provider has against the request.", (*_ALWAYS, "x-provider"))


def _error(description: str, headers: tuple[str, ...], schema: str = "Error") -> dict[str, Any]:
    return {
        "description": description,
        "headers": _header_refs(headers),
        "content": {"application/json": {"schema": _ref(schema)}},
    }


def _schemas() -> dict[str, Schema]:
    wire = Schemas(VARIANTS, _NAMES)
    wire.of(Body)
    properties = wire.components[_NAMES[Body]]["properties"]
    for name, description in _FIELDS.items():
        properties[name]["description"] = description
    for name, limit in _LIMITS.items():
        properties[name].update(limit)
    for name in _ABSENT:
        del properties[name]
    made = {
        **wire.components,
        **answer_schemas(),
        **messages_schemas(),
        **responses_schemas(),
        **conversations_schemas(),
    } | operations_schemas()
    return dict(sorted(made.items()))


def _headers() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, (kind, description) in _HEADERS.items():
        yield name, {"description": description, "schema": {"type": kind}}


def _header_refs(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _security() -> Iterator[tuple[str, dict[str, Any]]]:
    about = "A key of the server, where it has any (settings server.api_key and [keys.NAME])."
    second = " A second word after it is your own key for the provider."
    yield "bearer", {"type": "http", "scheme": "bearer", "description": about + second}
    for name in map(str, KEY_HEADERS):
        yield name, {"type": "apiKey", "in": "header", "name": name, "description": about}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _path(row: Route) -> str:
    return _PARAMETER.sub(r"{\1}", row.path)


def _tag(row: Route) -> str:
    """A route belongs to the module of its handler."""
    return row.load().__module__.rpartition(".")[2]
