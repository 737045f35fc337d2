"""The schemas of Anthropic's API, and whether requests and answers fit them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Finish, ReasoningDelta, TextDelta, ToolCallDelta
from g4f_aio.server.messages_schemas import ERRORS, EXAMPLES, STREAMS, messages_schemas
from tests.dialects.message_stream import events
from tests.server.conftest import Start
from tests.server.fakes import Script, Server, entry
from tests.server.test_openapi import DOCUMENT, check, operations, validator

PATH = "/v1/messages"
HELLO = EXAMPLES["MessagesRequest"]


def test_they_are_valid_schemas_that_refer_to_each_other_only() -> None:
    schemas = messages_schemas()
    for schema in schemas.values():
        OAS31Validator.check_schema(schema)
    names = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas))
    assert set(names) <= set(schemas)


def test_what_has_words_of_its_own_is_a_schema() -> None:
    assert {*EXAMPLES, *STREAMS, *ERRORS} <= set(messages_schemas())


def test_the_routes_say_what_they_take_and_give() -> None:
    operation = operations()["POST", PATH]
    assert set(operation["responses"]) == {"200", "401", "default"}
    assert operation["requestBody"]["content"]["application/json"]["example"] == HELLO
    content = operation["responses"]["200"]["content"]
    stream = content["text/event-stream"]["schema"]
    assert "message_stop" in stream["description"]
    assert stream["contentSchema"] == {"$ref": "#/components/schemas/MessagesEvent"}
    error = DOCUMENT["components"]["responses"]["MessagesError"]
    assert "529" in error["description"]
    assert "request-id" in error["headers"]


@pytest.mark.parametrize(
    "fields",
    [
        {"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        {"tools": [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]},
        {"tools": [{"type": "custom", "name": "f", "input_schema": {}}]},
        {"tool_choice": {"type": "tool", "name": "f"}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "x_new": 1},
        {"messages": [{"role": "user", "content": [{"type": "new", "x": 1}]}]},
        {
            "messages": [
                {"role": "user", "content": "a"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm", "signature": "s"},
                        {"type": "redacted_thinking", "data": "d"},
                        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "a", "content": "b"}],
                },
            ]
        },
    ],
)
async def test_what_the_server_takes_fits(server: Server, fields: dict[str, Any]) -> None:
    check({**HELLO, **fields}, "MessagesRequest")
    answer = await server.chat({**HELLO, **fields}, f"{PATH}/count_tokens")
    assert answer.status in (200, 400)
    if answer.status == 400:
        assert "cannot supply" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": "9"},
        {"messages": []},
        {"stream": "no"},
        {"system": 1},
        {"tools": [{"name": "f"}]},
        {"tool_choice": {"type": "maybe"}},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    ],
)
async def test_what_it_refuses_does_not(server: Server, fields: dict[str, Any]) -> None:
    body = {**HELLO, **fields}
    assert (await server.chat(body, PATH)).status == 400
    assert not validator("MessagesRequest").is_valid(body)


async def test_answers_events_counts_and_errors_fit(start: Start) -> None:
    steps = (ReasoningDelta("Hm"), TextDelta("One"), ToolCallDelta(0, "a", "f", "{}"), Finish())
    server = await start(entry(Script(steps=steps)))
    check((await server.chat(HELLO, PATH)).json(), "MessagesAnswer")
    streamed = await server.chat({**HELLO, "stream": True}, PATH)
    for event in events(streamed.body):
        check(event, "MessagesEvent")
    check((await server.chat(HELLO, f"{PATH}/count_tokens")).json(), "MessagesTokens")
    check((await server.chat({}, PATH)).json(), "MessagesError")
    failing = await start(entry(Script(steps=(TextDelta("One"), UpstreamError("x")))))
    streamed = await failing.chat({**HELLO, "stream": True}, PATH)
    check(events(streamed.body)[-1], "MessagesError")
