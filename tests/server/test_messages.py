"""POST /v1/messages and its token count: Anthropic's API in its own words, also where it fails."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.events import (
    Finish,
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext
from g4f_aio.core.requests import ChatRequest
from g4f_aio.dialects.anthropic_encoder import PING
from g4f_aio.dialects.anthropic_thinking import SEAL
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.keys import CURRENT
from g4f_aio.providers.openai_compatible import CHAT as EVERYTHING
from g4f_aio.server.answers import ANSWERS
from g4f_aio.settings import KeySettings
from g4f_aio.settings.secret import SecretStr
from tests.dialects.message_stream import events, message
from tests.e2e.wire import Answer
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO as CHAT_HELLO
from tests.server.fakes import Record, Script, Server, Step, entry

PATH = "/v1/messages"
COUNT = f"{PATH}/count_tokens"
HELLO: dict[str, Any] = {**CHAT_HELLO, "max_tokens": 9}
STREAM = {**HELLO, "stream": True}
PROMPT = CHAT_HELLO
VERSION = {"anthropic-version": "2023-06-01"}


@attrs.frozen(kw_only=True)
class Able(Script):
    """Claims to be able to do everything, and counts tokens."""

    capabilities: ClassVar[Capability] = EVERYTHING
    count: int | GatewayError | None = None

    async def count_tokens(self, request: ChatRequest, ctx: CallContext) -> int | None:
        self.record.requests.append(request)
        if isinstance(self.count, GatewayError):
            raise self.count
        return self.count


async def serving(
    start: Start, *steps: Step, record: Record | None = None, **settings: Any
) -> Server:
    """A server whose one provider goes through these steps."""
    return await start(entry(Able(steps=steps, record=record or Record())), **settings)


def failed(answer: Answer, status: int, kind: str) -> str:
    """The message of an error in the shape of the API, with its id in all places."""
    assert answer.status == status, answer.body
    value = answer.json()
    assert set(value) == {"type", "error", "request_id"}
    assert value["type"] == "error"
    assert set(value["error"]) == {"type", "message"}
    assert value["error"]["type"] == kind
    assert value["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]
    return str(value["error"]["message"])


# answers


async def test_a_whole_answer_has_the_documented_shape(server: Server) -> None:
    answer = await server.chat({**HELLO, "model": "large"}, PATH)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-provider"] == "script"
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    body = answer.json()
    assert body.pop("id").startswith("msg_")
    usage = body.pop("usage")
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] > 0
    assert usage["estimated"] is True
    assert body == {
        "type": "message",
        "role": "assistant",
        "model": "large",
        "content": [{"type": "text", "text": "Hello world"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }


async def test_a_stream_has_the_documented_shape(start: Start) -> None:
    server = await serving(
        start,
        ReasoningDelta("Hm"),
        TextDelta("I "),
        Status("busy"),
        TextDelta("look."),
        ToolCallDelta(0, "a", "f", '{"x":'),
        ToolCallDelta(0, arguments="1}"),
        ToolCallDelta(1, "b", "g", "{}"),
        Usage(10, 5, 4, 2),
        Finish("tool_calls"),
    )
    answer = await server.chat({**STREAM, "model": "small"}, PATH)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert [event["type"] for event in events(answer.body)] == [
        "message_start",
        "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "ping", "content_block_delta",
        "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop",
        "message_delta",
        "message_stop",
    ]  # fmt: skip
    found = message(answer.body)
    assert found["model"] == "small"
    assert found["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": SEAL},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]
    assert found["stop_reason"] == "tool_use"
    assert found["usage"]["input_tokens"] == 6
    assert found["usage"]["cache_read_input_tokens"] == 4
    assert found["usage"]["output_tokens"] == 5


async def test_what_is_asked_reaches_the_provider(start: Start) -> None:
    record = Record()
    server = await serving(start, TextDelta("a"), Finish(), record=record)
    asked = {
        **HELLO,
        "system": "Be brief.",
        "stop_sequences": ["x"],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "x_new": 1,
    }
    assert (await server.chat(asked, PATH)).status == 200
    (request,) = record.requests
    assert [one.role for one in request.messages] == ["system", "user"]
    assert request.sampling.stop == ("x",)
    assert request.tool_choice == "required"
    assert request.options == {"parallel_tool_calls": False}
    assert request.raw == asked


@pytest.mark.parametrize("path", [PATH, COUNT])
async def test_the_headers_of_the_api_go_along_and_no_others(start: Start, path: str) -> None:
    record = Record()
    server = await start(entry(Able(record=record, count=3)), api_key="K")
    headers = [
        ("Anthropic-Version", "2023-06-01"),
        ("anthropic-beta", "one-2026-01-01,two-2026-01-01"),
        ("anthropic-beta", "three-2026-01-01"),
        ("anthropic-workspace-id", "w"),
        ("anthropic-api-key", "sk-secret"),
        ("anthropic-auth-token", "sk-secret"),
        ("anthropic-odd", "größe"),
        ("x-api-key", "K"),
        ("x-stainless-lang", "python"),
    ]
    url = f"http://{server.address}{path}"
    async with server.client.post(url, json=HELLO, headers=headers) as response:
        assert response.status == 200
    assert record.requests[0].headers == {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "one-2026-01-01,two-2026-01-01,three-2026-01-01",
        "anthropic-workspace-id": "w",
    }


async def test_a_request_without_such_headers_has_none(start: Start) -> None:
    record = Record()
    server = await serving(start, TextDelta("a"), Finish(), record=record)
    await server.chat(HELLO, PATH)
    await server.chat(CHAT_HELLO, headers=VERSION)
    assert [request.headers for request in record.requests] == [{}, {}]


# errors


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadRequestError("x"), 400, "invalid_request_error"),
        (AuthenticationError("x"), 401, "authentication_error"),
        (BadRequestError("x", status=404), 404, "not_found_error"),
        (RateLimitError("x", retry_after=3), 429, "rate_limit_error"),
        (UpstreamError("x"), 502, "api_error"),
        (UpstreamAuthError("x"), 502, "api_error"),
        (OverloadedError("x", retry_after=3), 529, "overloaded_error"),
        (UpstreamTimeoutError("x"), 504, "timeout_error"),
    ],
)
@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
async def test_an_error_before_the_first_byte_has_its_status(
    start: Start, error: GatewayError, status: int, kind: str, body: dict[str, Any]
) -> None:
    answer = await (await serving(start, error)).chat(body, PATH)
    assert failed(answer, status, kind) == "x"
    if error.retry_after is not None:
        assert answer.headers["retry-after"] == "3"


async def test_a_mistake_of_ours_tells_nothing_but_its_id(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    server = await serving(start)
    monkeypatch.setattr(Catalog, "candidates", broken)
    for path in (PATH, COUNT):
        answer = await server.chat(HELLO, path)
        assert answer.headers["request-id"] in failed(answer, 500, "api_error")
        assert b"secret" not in answer.body


async def test_an_error_after_the_first_byte_is_the_last_event(start: Start) -> None:
    error = OverloadedError("It broke")
    answer = await (await serving(start, TextDelta("One"), error)).chat(STREAM, PATH)
    assert answer.status == 200
    assert not answer.cut
    *_, last = found = events(answer.body)
    assert last == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "It broke"},
        "request_id": answer.headers["request-id"],
    }
    assert "message_stop" not in [event["type"] for event in found]


@pytest.mark.parametrize("steps", [(TextDelta("One"),), (TextDelta("One"), ZeroDivisionError("d"))])
async def test_an_answer_that_is_cut_never_ends_as_if_it_were_whole(
    start: Start, steps: tuple[Step, ...]
) -> None:
    server = await serving(start, *steps)
    answer = await server.chat(STREAM, PATH)
    assert [event["type"] for event in events(answer.body)][-1] == "error"
    assert b"message_stop" not in answer.body
    failed(await server.chat(HELLO, PATH), 502, "api_error")


async def test_what_cannot_be_written_is_an_error_event_too(start: Start) -> None:
    odd: Any = {1, 2}
    server = await serving(start, TextDelta("One"), TextDelta(odd), Finish())
    answer = await server.chat(STREAM, PATH)
    last = events(answer.body)[-1]
    assert last["error"]["type"] == "api_error"
    assert last["request_id"] == answer.headers["request-id"]


async def test_a_server_that_stops_says_so_in_an_event(start: Start) -> None:
    record = Record()
    server = await serving(start, TextDelta("One"), 60.0, record=record)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(server.chat(STREAM, PATH))
        await record.begun.wait()
        server.app[CURRENT].draining = True
        assert await server.app[ANSWERS].drain(0.2) == 1
    answer = asking.result()
    last = events(answer.body)[-1]
    assert last["error"]["type"] == "overloaded_error"
    assert last["request_id"] == answer.headers["request-id"]


async def test_errors_before_the_handler_have_the_same_shape(start: Start) -> None:
    server = await serving(start, TextDelta("a"), Finish(), api_key="K", max_body=1000)
    key = {"x-api-key": "K"}
    for path in (PATH, f"{PATH}/", COUNT):
        failed(await server.chat(HELLO, path), 401, "authentication_error")
        evil = {**key, "Origin": "https://evil.example"}
        failed(await server.chat(HELLO, path, evil), 403, "permission_error")
        host = {**key, "Host": "evil.example"}
        failed(await server.chat(HELLO, path, host), 421, "invalid_request_error")
        text = await server.ask("POST", path, headers=key, data=b"{}")
        assert "Content-Type" in failed(text, 415, "invalid_request_error")
        large = {**HELLO, "x": "x" * 1000}
        failed(await server.chat(large, path, key), 413, "request_too_large")
        wrong = {**key, "Content-Type": "application/json"}
        broken = await server.ask("POST", path, headers=wrong, data=b"{")
        assert "not valid JSON" in failed(broken, 400, "invalid_request_error")
        get = await server.get(path, **key)
        failed(get, 405, "invalid_request_error")
        assert get.headers["Allow"] == "POST"
    unknown = await server.ask("POST", f"{PATH}/batches", headers=key, json={})
    assert "/v1/messages/batches" in failed(unknown, 404, "not_found_error")
    nonsense = await server.get(PATH, Expect="nonsense", **key)
    failed(nonsense, 417, "invalid_request_error")


async def test_who_says_the_version_of_the_api_is_a_client_of_it_anywhere(start: Start) -> None:
    server = await start(api_key="K")
    for path in ("/v1/models", "/v1/models/small"):
        failed(await server.get(path, **VERSION), 401, "authentication_error")
    assert (await server.get("/v1/models")).error()["code"] == "invalid_api_key"
    key = {"x-api-key": "K", **VERSION}
    failed(await server.get("/v1/files", **key), 404, "not_found_error")
    failed(await server.get("/v1/models/none", **key), 404, "not_found_error")


async def test_paths_that_only_begin_alike_are_none_of_it(server: Server) -> None:
    answer = await server.get("/v1/messagesx")
    assert answer.error()["code"] == "unknown_url"
    assert "request-id" not in answer.headers
    assert "request-id" not in (await server.chat(CHAT_HELLO)).headers


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"stream": "no"}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "content[0].text"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ],
)
async def test_a_field_at_fault_is_named(
    server: Server, fields: dict[str, Any], where: str
) -> None:
    answer = await server.chat({**HELLO, **fields}, PATH)
    assert where in failed(answer, 400, "invalid_request_error")
    assert answer.headers["x-should-retry"] == "false"


async def test_a_bound_is_required(server: Server) -> None:
    answer = await server.chat(PROMPT, PATH)
    assert "$.max_tokens: required" in failed(answer, 400, "invalid_request_error")


async def test_what_nobody_can_supply_is_refused(server: Server) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    answer = await server.chat({**HELLO, "tools": [search]}, PATH)
    assert "web_search" in failed(answer, 400, "invalid_request_error")


async def test_an_unknown_model_is_never_another_one(server: Server) -> None:
    answer = await server.chat({**HELLO, "model": "smal"}, PATH)
    assert "Did you mean small?" in failed(answer, 404, "not_found_error")


# silence


async def test_a_silent_stream_gets_pings(start: Start) -> None:
    steps = (0.5, TextDelta("One"), 0.3, TextDelta(" two"), Finish())
    answer = await (await serving(start, *steps, keep_alive=0.1)).chat(STREAM, PATH)
    assert answer.body.startswith(PING)
    assert b": keep-alive" not in answer.body
    kinds = [event["type"] for event in events(answer.body)]
    assert kinds.count("ping") >= 3
    assert kinds.index("ping") < kinds.index("message_start")
    assert message(answer.body)["content"] == [{"type": "text", "text": "One two"}]


async def test_after_a_ping_an_error_is_an_event(start: Start) -> None:
    server = await serving(start, 0.3, UpstreamError("It broke"), keep_alive=0.1)
    answer = await server.chat(STREAM, PATH)
    assert answer.status == 200
    *pings, last = events(answer.body)
    assert {event["type"] for event in pings} == {"ping"}
    assert last["error"] == {"type": "api_error", "message": "It broke"}


# counting tokens


async def test_tokens_are_counted_by_the_provider(start: Start) -> None:
    record = Record()
    server = await start(entry(Able(count=7, record=record)))
    answer = await server.chat({**PROMPT, "model": "large"}, COUNT)
    assert (answer.status, answer.json()) == (200, {"input_tokens": 7})
    assert answer.headers["x-provider"] == "script"
    assert answer.headers["x-model"] == "large"
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert "x-emulated" not in answer.headers
    assert record.requests[0].model == "large"


async def test_or_estimated(server: Server) -> None:
    answer = await server.chat(PROMPT, COUNT)
    assert answer.json() == {"input_tokens": 9}
    assert answer.headers["x-emulated"] == "count_tokens"


async def test_names_that_fit_in_no_header_are_left_out(start: Start) -> None:
    server = await start(entry(Script(listed=(ModelInfo("größer"),)), "größer"))
    answer = await server.chat(PROMPT, COUNT)
    assert answer.status == 200
    assert not {"x-provider", "x-model"} & set(answer.headers)


async def test_a_count_that_fails_is_an_error(start: Start) -> None:
    error = RateLimitError("Too often", retry_after=3)
    server = await start(entry(Able(count=error)))
    answer = await server.chat(PROMPT, COUNT)
    assert failed(answer, 429, "rate_limit_error") == "Too often"
    assert answer.headers["retry-after"] == "3"
    answer = await server.chat({**PROMPT, "messages": 1}, COUNT)
    assert "$.messages" in failed(answer, 400, "invalid_request_error")


async def test_the_limits_of_a_key_hold_for_counts_and_a_count_takes_nothing_of_them(
    start: Start,
) -> None:
    key = KeySettings(key=SecretStr("k"), models=("small",), requests_per_minute=1)
    server = await start(settings=attrs.evolve(QUIET, keys={"alice": key}))
    headers = {"x-api-key": "k"}
    for _ in range(3):
        answer = await server.chat({**PROMPT, "model": "small"}, COUNT, headers)
        assert answer.status == 200
    answer = await server.chat({**PROMPT, "model": "large"}, COUNT, headers)
    failed(answer, 403, "permission_error")
    assert (await server.chat({**HELLO, "model": "small"}, PATH, headers)).status == 200
    answer = await server.chat({**HELLO, "model": "small"}, PATH, headers)
    failed(answer, 429, "rate_limit_error")
