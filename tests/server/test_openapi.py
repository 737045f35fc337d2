"""The OpenAPI document, and whether the server does as it says."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import attrs
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import g4f_aio
from g4f_aio.core.errors import RateLimitError, UpstreamError
from g4f_aio.core.events import Finish, TextDelta, Usage
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.server.access import KEY_HEADERS, Access
from g4f_aio.server.description import DESCRIPTION
from g4f_aio.server.docs import PAGES
from g4f_aio.server.openapi import openapi_document
from g4f_aio.server.routes import table
from g4f_aio.settings import KeySettings
from g4f_aio.settings.secret import SecretStr
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO, STREAM, Script, Seeing, Server, entry
from tests.server.test_routes import ENDLESS, begin, example

DOCUMENT = openapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]
#: headers that only some answers have
SOMETIMES = {
    "x-emulated",
    "x-cache",
    "x-web-search",
    *(n for n in DOCUMENT["components"]["headers"] if "-ratelimit-" in n),
}


def validator(name: str) -> OAS31Validator:
    """For a schema of the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return OAS31Validator(schema)


def check(value: object, name: str) -> None:
    """A value has to fit a schema of the document."""
    validator(name).validate(value)


def path_of(path: str) -> str:
    """A path of the table as OpenAPI writes it."""
    return re.sub(r"\{(\w+)[^{}]*\}", r"{\1}", path)


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """The operations of the document by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert not list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors())


def test_it_is_json_and_each_time_the_same() -> None:
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT == openapi_document()


def test_it_says_who_we_are() -> None:
    assert DOCUMENT["info"]["title"] == "g4f_aio"
    assert DOCUMENT["info"]["version"] == g4f_aio.__version__
    assert DOCUMENT["info"]["license"]["identifier"] == "MIT"


def test_it_has_every_route_of_the_table_and_no_others() -> None:
    assert set(operations()) == {(row.method, path_of(row.path)) for row in table()}


def test_a_route_has_its_path_parameters_a_summary_and_a_name_of_its_own() -> None:
    names = set()
    asks = {path_of(row.path): row.asks for row in table()}
    for (_, path), operation in operations().items():
        given = [one["name"] for one in operation["parameters"] if one.get("in") == "path"]
        assert given == re.findall(r"\{(\w+)\}", path)
        asked = [one["name"] for one in operation["parameters"] if one.get("in") == "query"]
        assert asked == list(asks[path])
        assert operation["summary"]
        assert {"$ref": "#/components/parameters/x-request-id"} in operation["parameters"]
        names.add(operation["operationId"])
    assert len(names) == len(operations())


def test_a_route_asks_for_a_key_unless_it_is_public() -> None:
    ways: list[Any] = [*({name: []} for name in ("bearer", *KEY_HEADERS)), {}]
    for row in table():
        operation = operations()[row.method, path_of(row.path)]
        public = row.access is Access.PUBLIC
        assert operation["security"] == ([] if public else ways)
        assert ("401" in operation["responses"]) is not public
        if row.access is Access.ADMIN:
            assert "403" in operation["responses"]


def test_the_ways_to_send_a_key_are_those_there_are() -> None:
    schemes = dict(DOCUMENT["components"]["securitySchemes"])
    assert schemes.pop("bearer")["scheme"] == "bearer"
    assert {scheme["name"]: scheme["in"] for scheme in schemes.values()} == dict.fromkeys(
        KEY_HEADERS, "header"
    )


def test_every_reference_leads_somewhere_and_everything_is_referred_to() -> None:
    text = json.dumps(DOCUMENT)
    found = set(re.findall(r'"#/components/(\w+)/([\w-]+)"', text))
    kept = {
        (kind, name)
        for kind, parts in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in parts
    }
    assert found == kept


def test_a_chat_takes_json_and_gives_json_or_a_stream() -> None:
    operation = operations()["POST", "/v1/chat/completions"]
    body = operation["requestBody"]
    assert body["required"] is True
    schema = body["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ChatCompletionRequest"}
    content = operation["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/event-stream"}
    events = content["text/event-stream"]["schema"]
    assert events["contentSchema"] == {"$ref": "#/components/schemas/ChatCompletionChunk"}


def test_a_request_may_have_further_fields() -> None:
    request = SCHEMAS["ChatCompletionRequest"]
    assert request["required"] == ["messages"]
    assert "additionalProperties" not in request
    check({**HELLO, "x_unknown": {"a": 1}}, "ChatCompletionRequest")
    own = ("provider", "api_key", "timeout", "proxy", "conversation_id")
    assert all(request["properties"][name]["description"] for name in own)


@pytest.mark.parametrize("field", [{"messages": []}, {"n": 0}, {"timeout": 0}, {"stream": "no"}])
async def test_what_the_server_refuses_does_not_fit(server: Server, field: dict[str, Any]) -> None:
    body = {**HELLO, **field}
    assert (await server.chat(body)).status == 400
    assert not validator("ChatCompletionRequest").is_valid(body)


def test_the_examples_fit_their_schemas() -> None:
    for operation in operations().values():
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            check(content["example"], content["schema"]["$ref"].rpartition("/")[2])
    examples = [(name, one) for name, s in SCHEMAS.items() for one in s.get("examples", ())]
    assert len(examples) >= 3
    for name, one in examples:
        check(one, name)


def test_the_pages_are_those_there_are() -> None:
    (parameter, _) = operations()["GET", "/docs/{page}"]["parameters"]
    assert parameter["schema"]["enum"] == list(PAGES)


# the server does as the document says


@pytest.mark.parametrize(
    "row",
    [row for row in table() if row.method == "GET" and row.path not in ENDLESS],
    ids=lambda r: r.path,
)
async def test_what_a_route_gives_fits_its_schema(start: Start, row: Any) -> None:
    listed = (ModelInfo("small", context_length=5), ModelInfo("b", Capability.IMAGE))
    server = await start(
        entry(Script(listed=listed)),
        entry(Seeing(), "eyes"),
        entry(Script(steps=(UpstreamError("x"),)), "failing"),
        entry(None, "broken", error="gone"),
    )
    await begin(server)
    for name in ("script", "failing"):
        await server.chat({**HELLO, "provider": name})
    answer = await server.get(example(row.path))
    operation = operations()["GET", path_of(row.path)]
    (kind,) = operation["responses"]["200"]["content"]
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    if kind == "application/json":
        check(answer.json(), row.gives)
    assert set(operation["responses"]["200"]["headers"]) <= {
        name.lower() for name in answer.headers
    }


async def test_whole_answers_and_streams_fit_their_schemas(start: Start) -> None:
    steps = (TextDelta("One"), Usage(3, 4, 1, 2), Finish("length"))
    for server in (await start(entry(Script(steps=steps))), await start()):
        whole = await server.chat(HELLO)
        check(whole.json(), "ChatCompletion")
        asked: dict[str, Any]
        for asked in ({}, {"stream_options": {"include_usage": True}}):
            streamed = await server.chat({**STREAM, **asked})
            for chunk in streamed.chunks():
                check(chunk, "ChatCompletionChunk")
            operation = operations()["POST", "/v1/chat/completions"]
            named = set(operation["responses"]["200"]["headers"]) - SOMETIMES
            assert named <= {name.lower() for name in streamed.headers}


async def test_errors_fit_their_schema_and_have_the_headers_named(start: Start) -> None:
    server = await start(entry(Script(steps=(RateLimitError("Slow down"),))))
    operation = operations()["POST", "/v1/chat/completions"]
    for answer in (await server.chat(), await server.chat({}), await server.get("/none")):
        check(answer.json(), "Error")
        assert str(answer.status) in operation["responses"]
    limited = await server.chat()
    response = DOCUMENT["components"]["responses"]["RateLimited"]
    told = {name.lower() for name in limited.headers}
    assert set(response["headers"]) - {"x-should-retry"} - SOMETIMES <= told


async def test_a_key_with_limits_is_told_them_with_the_headers_named(start: Start) -> None:
    key = KeySettings(key=SecretStr("k"), requests_per_minute=2, tokens_per_minute=100_000)
    server = await start(settings=attrs.evolve(QUIET, keys={"alice": key}))
    responses = operations()["POST", "/v1/chat/completions"]["responses"]
    limited = DOCUMENT["components"]["responses"]["RateLimited"]
    headers = {"x-api-key": "k"}
    answers = [await server.chat(body, headers=headers) for body in (HELLO, STREAM, HELLO)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    for answer, response in zip(answers, (responses["200"],) * 2 + (limited,), strict=True):
        told = {name.lower(): value for name, value in answer.headers.items()}
        quota = [name for name in response["headers"] if name.startswith("x-ratelimit-")]
        assert len(quota) == 6
        for name in quota:
            kind = DOCUMENT["components"]["headers"][name]["schema"]["type"]
            assert told[name].isdecimal() is (kind == "integer")


async def test_it_is_served_and_built_once(server: Server) -> None:
    first, second = await asyncio.gather(*(server.get("/openapi.json") for _ in range(2)))
    assert first.json() == second.json() == DOCUMENT
    assert server.app[DESCRIPTION].json is server.app[DESCRIPTION].json
