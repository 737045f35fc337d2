"""POST /v1/chat/completions and its relatives: what is asked reaches the provider, or is refused."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g4f_aio.core.errors import RateLimitError, UpstreamError
from g4f_aio.core.events import (
    Event,
    Finish,
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.keys import Caller
from g4f_aio.providers.openai_compatible import CHAT as EVERYTHING
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.server.middlewares import DOORMAN
from g4f_aio.settings import RoutingSettings, Settings, UpstreamSettings
from tests.conftest import Upstream
from tests.e2e.wire import Attempt
from tests.server.conftest import Start
from tests.server.fakes import CHAT, HELLO, STREAM, OptionallyKeyed, Record, Script, Server, entry


@attrs.frozen(kw_only=True)
class Able(Script):
    """Claims to be able to do everything."""

    capabilities: ClassVar[Capability] = EVERYTHING


# answers


async def test_a_whole_answer_has_the_documented_shape(server: Server) -> None:
    answer = await server.chat({**HELLO, "model": "large"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-provider"] == "script"
    assert answer.headers["x-model"] == "large"
    assert answer.attempts == [Attempt("script/large")]
    body = answer.json()
    assert body.pop("id").startswith("chatcmpl-")
    assert body.pop("created") > 1_700_000_000
    usage = body.pop("usage")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["estimated"] is True
    assert body == {
        "object": "chat.completion",
        "model": "large",
        "provider": "script",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello world", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }


async def test_a_stream_has_the_documented_shape(server: Server) -> None:
    answer = await server.chat({**STREAM, "model": "small"})
    assert answer.status == 200
    assert answer.done
    assert answer.text() == "Hello world"
    chunks = answer.chunks()
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] > 0


async def test_the_default_model_answers_when_none_is_named(start: Start) -> None:
    server = await start()
    for model in ("", "default", None):
        assert (await server.chat({**HELLO, "model": model})).json()["model"] == "small"
    assert (await server.chat(HELLO)).json()["model"] == "small"


# routing


async def two(start: Start) -> tuple[Server, Record, Record]:
    """A server with two providers, and what each of them is asked."""
    first, second = Record(), Record()
    entries = (entry(Script(record=first), "first"), entry(Script(record=second), "second"))
    return await start(*entries), first, second


@pytest.mark.parametrize(
    ("path", "body", "conversation"),
    [
        (CHAT, {"provider": "second"}, None),
        (CHAT, {"model": "second:large"}, None),
        ("/api/second/chat/completions", {}, None),
        ("/api/SECOND/chat/completions/", {}, None),
        ("/api/second/chat/completions", {"provider": "first"}, None),
        ("/api/second/chat/completions", {"provider": "none"}, None),
        ("/api/second/chat/completions", {"conversation_id": "b"}, "b"),
        ("/api/second/c1/chat/completions", {}, "c1"),
        ("/api/second/c%2F1%20x/chat/completions", {"provider": "first"}, "c/1 x"),
        ("/api/second/c1/chat/completions", {"conversation_id": "b", "provider": "first"}, "c1"),
    ],
)
async def test_the_path_overrules_the_body(
    start: Start, path: str, body: dict[str, Any], conversation: str | None
) -> None:
    server, first, second = await two(start)
    answer = await server.chat({**HELLO, **body}, path)
    assert answer.status == 200
    assert answer.headers["x-provider"] == "second"
    assert not first.requests
    assert second.requests[0].routing.conversation_id == conversation


async def test_what_was_said_in_a_conversation_goes_before_the_new_message(start: Start) -> None:
    server, first, _ = await two(start)
    path = "/api/first/c1/chat/completions"
    await server.chat(HELLO, path)
    await server.chat({"messages": [{"role": "user", "content": "And?"}]}, path)
    said = [(message.role, message.text) for message in first.requests[1].messages]
    assert said == [("user", "Hello!"), ("assistant", "Hello world"), ("user", "And?")]


@pytest.mark.parametrize("path", ["/api/none/chat/completions", "/api/none/c1/chat/completions"])
async def test_an_unknown_provider_is_said_to_be_one(server: Server, path: str) -> None:
    answer = await server.chat(path=path)
    assert answer.status == 404
    assert answer.error()["type"] == "provider_not_found"


async def test_an_unknown_model_is_never_another_one(server: Server) -> None:
    answer = await server.chat({**HELLO, "model": "smal"})
    assert answer.status == 404
    error = answer.error()
    assert (error["type"], error["code"], error["param"]) == ("model_not_found",) * 2 + ("model",)
    assert "Did you mean small?" in error["message"]


async def test_a_broken_provider_says_why_when_it_is_asked(start: Start) -> None:
    server = await start(entry(None, "broken", error="acme:Acme cannot be imported"))
    answer = await server.chat({**HELLO, "provider": "broken"})
    assert answer.status == 502
    assert "acme:Acme cannot be imported" in answer.error()["message"]


async def test_another_provider_takes_over_before_the_first_word(start: Start) -> None:
    model = (ModelInfo("shared"),)
    failing = Script(steps=(RateLimitError("busy", retry_after=3),), listed=model)
    server = await start(entry(failing, "failing"), entry(Script(listed=model), "working"))
    answer = await server.chat({**STREAM, "model": "shared"})
    assert answer.done
    assert answer.headers["x-provider"] == "working"
    assert answer.attempts == [
        Attempt("failing/shared", "rate_limit_exceeded", 429),
        Attempt("working/shared"),
    ]


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
async def test_who_was_asked_in_vain_is_told_too(start: Start, body: dict[str, Any]) -> None:
    model = (ModelInfo("shared"),)
    failing = Script(steps=(RateLimitError("busy", retry_after=30),), listed=model)
    broken = Script(steps=(UpstreamError("broken", provider="broken"),), listed=model)
    server = await start(
        entry(failing, "failing"),
        entry(broken, "broken"),
        settings=Settings(routing=RoutingSettings(detect_local=False, retries=0)),
    )
    answer = await server.chat({**body, "model": "shared"})
    assert answer.status == 502
    assert answer.attempts == [
        Attempt("failing/shared", "rate_limit_exceeded", 429),
        Attempt("broken/shared", "provider_not_working", 502),
    ]
    assert answer.headers["x-provider"] == "broken"
    assert "x-model" not in answer.headers


async def test_where_nobody_was_asked_there_is_no_word_of_it(server: Server) -> None:
    for body in ({**HELLO, "model": "none"}, {**HELLO, "n": "3"}, {**HELLO, "provider": "none"}):
        assert "x-attempts" not in (await server.chat(body)).headers


# the caller's own keys, and proxies


@pytest.mark.parametrize(
    ("body", "credential"),
    [
        ({}, "from-the-header"),
        ({"api_key": "from-the-body"}, "from-the-body"),
        ({"api_key": {"script": "for-it"}}, "for-it"),
        ({"api_key": {"other": "for-another"}}, "from-the-header"),
    ],
)
async def test_a_key_in_the_body_comes_before_one_in_the_header(
    start: Start, body: dict[str, Any], credential: str
) -> None:
    record = Record()
    server = await start(entry(OptionallyKeyed(record=record), api_key="the-servers"), api_key="K")
    headers = {"Authorization": "Bearer K from-the-header"}
    assert (await server.chat({**HELLO, **body}, headers=headers)).status == 200
    assert record.contexts[0].credential == credential
    await server.chat(headers={"x-api-key": "K"})
    assert record.contexts[1].credential == "the-servers"


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "a\n", "a\x00", "schlüssel", {"script": "a\r"}])
async def test_a_key_that_no_header_can_hold_is_the_callers_mistake(
    start: Start, key: object
) -> None:
    record = Record()
    server = await start(entry(OptionallyKeyed(record=record)))
    answer = await server.chat({**HELLO, "api_key": key})
    assert answer.status == 400
    assert answer.error()["param"] == "api_key"
    assert b"Evil" not in answer.body
    assert not record.requests


def become(server: Server, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server take everybody for *caller*."""
    monkeypatch.setattr(server.app[DOORMAN], "identify", lambda *_: caller)


async def test_only_admins_name_a_proxy_unless_the_settings_let_everybody(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {**HELLO, "proxy": "http://proxy.example:8080"}
    routing = RoutingSettings(detect_local=False)
    for allow in (False, True):
        asked = UpstreamSettings(allow_request_proxy=allow)
        server = await start(settings=Settings(routing=routing, upstream=asked))
        assert (await server.chat(body)).status == 200
        become(server, Caller("friend"), monkeypatch)
        answer = await server.chat(body)
        assert answer.status == (200 if allow else 403)
        if not allow:
            error = answer.error()
            assert (error["type"], error["param"]) == ("permission_error", "proxy")
            assert error["message"].startswith("$.proxy: ")
            assert "upstream.allow_request_proxy" in error["message"]
        assert (await server.chat()).status == 200


@pytest.mark.parametrize(
    "proxy", ["nonsense", "socks5://127.0.0.1:1", "file:///etc/passwd", "http://"]
)
async def test_a_proxy_that_is_none_is_the_callers_mistake(server: Server, proxy: str) -> None:
    answer = await server.chat({**HELLO, "proxy": proxy})
    assert answer.status == 400
    assert answer.error()["param"] == "proxy"


# strictness


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"stream": "no"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"n": "3"}, "n"),
        ({"n": True}, "n"),
        ({"n": 1.0}, "n"),
        ({"n": 0}, "n"),
        ({"model": 1}, "model"),
        ({"model": ["small"]}, "model"),
        ({"temperature": "0.5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stop": [1]}, "stop[0]"),
        ({"stop": 1}, "stop"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"messages": [*HELLO["messages"], {"role": "user", "content": ["x"]}]}, "messages[1].content[0]"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"stream_options": True}, "stream_options"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"api_key": 1}, "api_key"),
        ({"api_key": {"script": 1}}, "api_key"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "3"}, "timeout"),
        ({"provider": 1}, "provider"),
        ({"conversation_id": 1}, "conversation_id"),
        ({"logprobs": "true"}, "logprobs"),
        ({"metadata": []}, "metadata"),
    ],
)  # fmt: skip
async def test_nothing_is_converted_and_the_field_is_named(
    start: Start, fields: dict[str, Any], path: str
) -> None:
    record = Record()
    server = await start(entry(Able(record=record)))
    answer = await server.chat({**HELLO, **fields})
    assert answer.status == 400
    error = answer.error()
    assert (error["type"], error["param"]) == ("invalid_request_error", path)
    assert f"$.{path}" in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert not record.requests


async def test_all_mistakes_are_named_at_once(server: Server) -> None:
    message = (await server.chat({**HELLO, "n": "3", "stream": "no"})).error()["message"]
    assert "$.n" in message
    assert "$.stream" in message


async def test_what_nobody_can_supply_is_refused_and_never_ignored(server: Server) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    for fields in ({"tools": [tool]}, {"n": 2}, {"response_format": {"type": "json_object"}}):
        answer = await server.chat({**HELLO, **fields, "emulate": False})
        assert answer.status == 400
        assert answer.error()["code"] == "unsupported_parameter"


async def test_what_is_supplied_here_is_named_in_a_header(server: Server) -> None:
    answer = await server.chat({**HELLO, "n": 2})
    assert answer.status == 200
    assert answer.headers["x-emulated"] == "n"
    assert [one["index"] for one in answer.json()["choices"]] == [0, 1]
    assert "x-emulated" not in (await server.chat(HELLO)).headers


# what is said cannot become what is not said

TRICKS = (
    "a\r\n\r\ndata: [DONE]\r\n\r\n",
    "a\n\ndata: {}\n\n",
    "\r\nX-Evil: 1\r\n\r\n",
    "a\rdata: b\r\r",
    "\u2028data: [DONE]\u2029\x85\x0b\x0c",
    "\x00\x1b[31m",
    ": comment\n\n",
)


@pytest.mark.parametrize("trick", TRICKS)
async def test_texts_of_a_provider_are_no_events_and_no_headers(start: Start, trick: str) -> None:
    steps: tuple[Event, ...] = (
        Status(trick),
        ReasoningDelta(trick),
        TextDelta(trick),
        ToolCallDelta(0, trick, trick, trick),
        Usage(1, 2),
        Finish("tool_calls"),
    )
    provider = Able(steps=steps, listed=(ModelInfo(f"m{trick}"),))
    server = await start(entry(provider))
    answer = await server.chat({**STREAM, "model": f"m{trick}", "user": trick})
    assert answer.status == 200
    events = answer.body.decode().split("\n\n")
    assert events[0].startswith(": ")
    assert {event[:6] for event in events[1:-1]} == {"data: "}
    assert events[-2:] == ["data: [DONE]", ""]
    assert not {"\n", "\r"} & set("".join(events))
    assert answer.text() == trick
    assert "x-model" not in answer.headers
    assert not {"X-Evil", "data"} & set(answer.headers)
    whole = await server.chat({**HELLO, "model": f"m{trick}"})
    assert whole.json()["model"] == f"m{trick}"
    assert whole.json()["choices"][0]["message"]["content"] == trick


@pytest.mark.parametrize("trick", TRICKS)
async def test_errors_of_a_provider_are_one_event_and_no_headers(start: Start, trick: str) -> None:
    failure = UpstreamError(trick, code=trick, param=trick, provider=trick)
    late = await start(entry(Script(steps=(TextDelta("x"), failure))))
    answer = await late.chat(STREAM)
    assert answer.chunks()[-1]["error"]["message"] == trick
    assert answer.body.count(b"\n\n") == len(answer.data())
    assert b"\r" not in answer.body
    early = await start(entry(Script(steps=(failure,))))
    answer = await early.chat(STREAM)
    assert answer.status == 502
    assert answer.error()["code"] == trick
    assert not {"X-Evil", "x-provider"} & set(answer.headers)


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("field", ["model", "provider", "user", "conversation_id"])
async def test_what_a_client_sends_is_no_event_and_no_header(
    server: Server, trick: str, field: str
) -> None:
    # the id of a conversation is kept, and has no control characters in it
    refused = 400 if field == "conversation_id" else 404
    for body in (HELLO, STREAM):
        answer = await server.chat({**body, field: trick})
        assert answer.status in (200, refused)
        assert not {"X-Evil", "data"} & set(answer.headers)
        assert b"\r" not in answer.body
        if answer.status == refused:
            answer.error()


# any JSON

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "model", "messages", "stream", "stream_options", "temperature", "max_tokens", "stop", "n",
        "tools", "tool_choice", "response_format", "provider", "api_key", "proxy", "timeout",
        "conversation_id", "web_search", "logprobs", "modalities", "metadata", "user", "functions",
    ]
)  # fmt: skip
PART = st.dictionaries(
    st.sampled_from(["type", "text", "image_url", "input_audio", "file", "refusal"]),
    st.sampled_from(["text", "image_url", "input_audio", "file", "refusal", {}, None]) | JSON,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"])},
    optional={
        "content": st.text() | st.lists(PART, max_size=3) | JSON,
        "tool_calls": JSON,
        "name": JSON,
    },
)
BODIES = st.builds(
    lambda message, fields: {"messages": [message], **fields},
    MESSAGE,
    st.dictionaries(FIELDS, JSON, max_size=4),
)


@pytest.mark.parametrize("able", [False, True])
@given(body=BODIES | JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_json_is_an_error_of_ours(start: Start, body: Any, able: bool) -> None:  # noqa: FBT001
    server = await start(entry(Able() if able else Script()))
    answer = await server.chat([] if body is None else body)
    assert answer.status in (200, 400, 404)
    if answer.status != 200:
        answer.error()


# a real upstream


async def test_an_upstream_of_the_same_dialect_is_handed_on_byte_for_byte(
    start: Start, upstream: Upstream
) -> None:
    provider = OpenAICompatible(base_url=upstream.base_url)
    server = await start(entry(provider, "work", models=("unknown-fields",)))
    answer = await server.chat({**STREAM, "model": "unknown-fields", "x_mine": [1, {"a": None}]})
    assert answer.done
    assert '"x_vendor":{"region":"eu","π":3.14}' in answer.body.decode()
    assert answer.text() == "One two three"
    record = (await upstream.records("unknown-fields"))[0]
    assert record["body"]["x_mine"] == [1, {"a": None}]
    assert record["body"]["messages"] == HELLO["messages"]


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_what_an_upstream_has_against_the_request_keeps_its_status(
    start: Start, upstream: Upstream, status: int
) -> None:
    server = await start(entry(OpenAICompatible(base_url=upstream.base_url), "work"))
    for body in (HELLO, STREAM):
        answer = await server.chat({**body, "model": f"work:status-{status}"})
        assert answer.status == status
        assert answer.error()["type"] == "invalid_request_error"
