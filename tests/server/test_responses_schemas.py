"""The schemas of the Responses API, and whether requests and answers fit them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openapi_schema_validator import OAS31Validator

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.events import Finish, TextDelta, Usage
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.server.openapi import openapi_document
from g4f_aio.server.responses_schemas import EXAMPLES, STREAMS, responses_schemas
from tests.dialects.responses_wire import read
from tests.server.conftest import Start
from tests.server.fakes import Script, entry

Json = dict[str, Any]

DOCUMENT = openapi_document()
FUNCTION: Json = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def validator(name: str) -> OAS31Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return OAS31Validator(schema)


def test_they_are_valid_and_in_the_document() -> None:
    for name, schema in responses_schemas().items():
        OAS31Validator.check_schema(schema)
        assert DOCUMENT["components"]["schemas"][name] == schema


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input": [{"role": "user", "content": "Hi"}, {"id": "msg_1"}]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": "12"}]},
        {"input": [{"type": "web_search_call", "id": "ws_1"}]},
        {"tools": [FUNCTION, {"type": "namespace", "name": "n", "tools": [FUNCTION]}]},
        {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
        {"text": {"format": {"type": "text"}}, "reasoning": {"effort": "low"}},
        {"metadata": {"a": "b"}, "x_unknown": 1},
    ],
)
def test_what_the_server_takes_fits(fields: Json) -> None:
    body = {"model": "m", "input": "Hi"} | fields
    OPENAI_RESPONSES.decode_request(orjson.dumps(body))
    validator("ResponseRequest").validate(body)


@pytest.mark.parametrize(
    "fields",
    [
        {"input": 1},
        {"input": [{"type": "function_call", "name": "f"}]},
        {"stream": "no"},
        {"max_output_tokens": 0},
        {"timeout": 0},
        {"metadata": {"a": 1}},
        {"tools": [{"name": "f"}]},
    ],
)
def test_what_the_server_refuses_does_not_fit(fields: Json) -> None:
    body = {"model": "m", "input": "Hi"} | fields
    with pytest.raises(BadRequestError):
        OPENAI_RESPONSES.decode_request(orjson.dumps(body))
    assert not validator("ResponseRequest").is_valid(body)


async def test_what_the_server_answers_fits(start: Start) -> None:
    server = await start(entry(Script(steps=(TextDelta("One"), Usage(3, 4), Finish("length")))))
    whole = (await server.ask("POST", "/v1/responses", json=EXAMPLES["ResponseRequest"])).json()
    validator("Response").validate(whole)
    path = f"/v1/responses/{whole['id']}"
    validator("ResponseItemList").validate((await server.get(f"{path}/input_items")).json())
    validator("ResponseDeleted").validate((await server.ask("DELETE", path)).json())
    body = {"input": "Hi", "stream": True}
    for event in read((await server.ask("POST", "/v1/responses", json=body)).body):
        validator("ResponseEvent").validate(event)


def test_the_stream_is_described() -> None:
    operation = DOCUMENT["paths"]["/v1/responses"]["post"]
    content = operation["responses"]["200"]["content"]["text/event-stream"]
    assert content["schema"]["description"] == STREAMS["ResponseEvent"]


def test_the_parameters_of_a_page_are_its_own() -> None:
    operation = DOCUMENT["paths"]["/v1/responses/{response_id}/input_items"]["get"]
    limit = next(one for one in operation["parameters"] if one.get("name") == "limit")
    assert limit["schema"]["maximum"] == 100
