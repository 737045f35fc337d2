"""POST /v1/responses and what is kept: in OpenAI's words, each owner's own, also where it fails."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import attrs
import orjson
import pytest
from openai.types.responses import Response

from g4f_aio.core.errors import (
    BadRequestError,
    RateLimitError,
    UpstreamError,
)
from g4f_aio.core.events import (
    EventStream,
    Finish,
    Passthrough,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.models import Capability
from g4f_aio.core.provider import CallContext, ResponseAction
from g4f_aio.core.requests import ChatRequest
from g4f_aio.core.stores import ResponseKey
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.keys import STORAGE
from g4f_aio.providers.openai_compatible import CHAT as EVERYTHING
from g4f_aio.server.answers import ANSWERS
from g4f_aio.settings import KeySettings
from g4f_aio.settings.secret import SecretStr
from tests.dialects.responses_wire import checked, read
from tests.e2e.wire import Answer
from tests.server.conftest import QUIET, Start
from tests.server.fakes import Record, Script, Server, Step, entry

Json = dict[str, Any]

PATH = "/v1/responses"
HELLO: Json = {"model": "small", "input": "Hello!"}
STREAM = {**HELLO, "stream": True}
KEYS = {
    name: KeySettings(key=SecretStr(name), requests_per_minute=100) for name in ("alice", "bob")
}


@attrs.frozen(kw_only=True)
class Able(Script):
    """Claims to be able to do everything."""

    capabilities: ClassVar[Capability] = EVERYTHING


@attrs.frozen(kw_only=True)
class Native(Able):
    """Speaks the API itself: it answers with a *body*, and keeps it."""

    body: Json = attrs.field(factory=dict)
    kept: list[tuple[str, ResponseAction, str | None]] = attrs.field(factory=list)
    says: Json | BadRequestError = attrs.field(factory=dict)

    def speaks(self, dialect: str) -> bool:
        return dialect == OPENAI_RESPONSES.name

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.record.requests.append(request)
        body = {"id": "resp_up", "object": "response", "output": [], "model": "m"} | self.body
        usage = Usage(1, 2)
        if not request.stream:
            yield Passthrough(orjson.dumps(body), usage, last=True)
            return
        for kind, last in (("response.created", False), ("response.completed", True)):
            frame = b"data: " + orjson.dumps({"type": kind, "response": body}) + b"\n\n"
            yield Passthrough(frame, usage if last else None, last=last)

    async def kept_response(
        self, response_id: str, ctx: CallContext, action: ResponseAction = "get"
    ) -> Json:
        self.kept.append((response_id, action, ctx.credential))
        if isinstance(self.says, BadRequestError):
            raise self.says
        return self.says


async def ask(server: Server, body: Json | None = None, key: str | None = None) -> Answer:
    headers = {"x-api-key": key} if key else {}
    return await server.ask("POST", PATH, json=body or HELLO, headers=headers)


async def get(server: Server, name: str, rest: str = "", key: str | None = None) -> Answer:
    headers = {"x-api-key": key} if key else {}
    return await server.ask("GET", f"{PATH}/{name}{rest}", headers=headers)


def text(response: Json) -> str:
    return "".join(
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
    )


# answers


async def test_a_whole_answer_has_the_documented_shape(server: Server) -> None:
    answer = await ask(server)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-provider"] == "script"
    response = answer.json()
    Response.model_validate(response, strict=True)
    assert text(response) == "Hello world"
    assert (response["model"], response["provider"]) == ("small", "script")


async def test_a_stream_has_the_documented_shape(server: Server) -> None:
    answer = await ask(server, STREAM)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert b"[DONE]" not in answer.body
    assert text(checked(answer.body)) == "Hello world"


async def test_the_provider_gets_the_request_in_the_core_s_words(start: Start) -> None:
    record = Record()
    server = await start(entry(Able(record=record)))
    body = {
        **HELLO,
        "instructions": "Be brief",
        "max_output_tokens": 5,
        "tools": [{"type": "function", "name": "f"}],
        "provider": "script",
        "timeout": 9,
    }
    assert (await ask(server, body)).status == 200
    (asked,) = record.requests
    assert [message.text for message in asked.messages] == ["Be brief", "Hello!"]
    assert asked.sampling.max_tokens == 5
    assert asked.tools[0].name == "f"  # type: ignore[union-attr]
    assert asked.routing.timeout == 9
    assert asked.raw is not None
    assert "timeout" not in asked.raw


async def test_everything_a_model_does_is_told(start: Start) -> None:
    steps: tuple[Step, ...] = (
        ReasoningDelta("Hm."),
        TextDelta("I look."),
        ToolCallDelta(0, "call_a", "f", "{}"),
        Usage(3, 4, 1, 2),
        Finish("tool_calls"),
    )
    server = await start(entry(Able(steps=steps)))
    streamed = checked((await ask(server, STREAM)).body)
    whole = (await ask(server)).json()
    for response in (streamed, whole):
        kinds = [item["type"] for item in response["output"]]
        assert kinds == ["reasoning", "message", "function_call"]
        assert response["usage"]["output_tokens_details"] == {"reasoning_tokens": 2}


# errors


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "small"}, "input"),
        ({**HELLO, "stream": "no"}, "stream"),
        ({**HELLO, "input": [{"role": "x", "content": ""}]}, "input[0].role"),
        ({**HELLO, "background": True}, "background"),
        ({**HELLO, "conversation": "conv_1"}, "conversation"),
    ],
)
async def test_a_wrong_request_is_named_by_its_field(
    server: Server, body: Json, param: str
) -> None:
    answer = await ask(server, body)
    assert answer.status == 400
    error = answer.error()
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert answer.headers["x-should-retry"] == "false"


async def test_what_nobody_can_translate_is_named(start: Start) -> None:
    server = await start(entry(Able()))
    answer = await ask(server, {**HELLO, "tools": [{"type": "web_search"}]})
    assert answer.status == 400
    error = answer.error()
    assert (error["param"], error["code"]) == ("tools[0]", "unsupported_parameter")
    assert "web_search" in error["message"]


async def test_a_failure_before_the_first_byte_has_its_status(start: Start) -> None:
    server = await start(entry(Script(steps=(RateLimitError("Slow down", retry_after=9),))))
    for body in (HELLO, STREAM):
        answer = await ask(server, body)
        assert answer.status == 429
        assert answer.headers["retry-after"] == "9"
        assert answer.error()["code"] == "rate_limit_exceeded"


async def test_a_failure_after_it_is_the_stream_s_last_event(start: Start) -> None:
    server = await start(entry(Script(steps=(TextDelta("Hel"), UpstreamError("It broke")))))
    answer = await ask(server, STREAM)
    assert answer.status == 200
    assert not answer.cut
    response = checked(answer.body)
    assert response["status"] == "failed"
    assert response["error"] == {"code": "server_error", "message": "It broke"}
    assert text(response) == "Hel"
    assert (await get(server, response["id"])).status == 404


async def test_a_provider_that_ends_without_a_finish_never_ends_well(start: Start) -> None:
    server = await start(entry(Script(steps=(TextDelta("Hel"),))))
    assert checked((await ask(server, STREAM)).body)["status"] == "failed"
    assert (await ask(server)).status == 502


async def test_a_server_that_stops_ends_a_stream_in_its_own_numbers(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(steps=(TextDelta("Hel"), 60.0, Finish()), record=record)))
    url = f"http://{server.address}{PATH}"
    async with server.client.post(url, json=STREAM) as response:
        begun = b""
        while b"output_text.delta" not in begun:
            begun += await response.content.readany()
        await server.app[ANSWERS].drain(0)
        whole = begun + await response.content.read()
    assert checked(whole)["error"]["code"] == "server_error"
    assert len({event["response"]["id"] for event in read(whole) if "response" in event}) == 1


async def test_silence_is_filled_with_comments(start: Start) -> None:
    server = await start(entry(Script(steps=(TextDelta("a"), 0.3, Finish()))), keep_alive=0.1)
    answer = await ask(server, STREAM)
    assert b": keep-alive\n\n" in answer.body
    assert text(checked(answer.body)) == "a"


# going on


async def test_a_chain_of_responses(start: Start) -> None:
    record = Record()
    server = await start(entry(Able(record=record)))
    first = (await ask(server)).json()
    body = {**STREAM, "input": "And now?", "previous_response_id": first["id"]}
    second = checked((await ask(server, body)).body)
    assert second["previous_response_id"] == first["id"]
    third = (await ask(server, {**HELLO, "previous_response_id": second["id"]})).json()
    assert third["previous_response_id"] == second["id"]
    said = [message.text for message in record.requests[-1].messages]
    assert said == ["Hello!", "Hello world", "And now?", "Hello world", "Hello!"]


async def test_the_end_of_a_stream_can_be_referred_to_at_once(server: Server) -> None:
    url = f"http://{server.address}{PATH}"
    async with server.client.post(url, json=STREAM) as response:
        whole = b""
        while b"response.completed" not in whole:
            whole += await response.content.readany()
        found = await get(server, checked(whole)["id"])
    assert found.json() == checked(whole)


async def test_items_may_be_named(start: Start) -> None:
    record = Record()
    server = await start(entry(Able(record=record)))
    name = (await ask(server)).json()["output"][0]["id"]
    items = [{"role": "user", "content": "Hi"}, {"type": "item_reference", "id": name}]
    assert (await ask(server, {**HELLO, "input": items})).status == 200
    assert [message.text for message in record.requests[-1].messages] == ["Hi", "Hello world"]


async def test_a_response_that_is_not_there(server: Server) -> None:
    answer = await ask(server, {**HELLO, "previous_response_id": "resp_none"})
    assert answer.status == 404
    error = answer.error()
    assert error["code"] == "previous_response_not_found"
    assert error["param"] == "previous_response_id"


async def test_what_may_not_be_kept_is_not(start: Start) -> None:
    server = await start()
    for body in (HELLO, STREAM):
        answer = await ask(server, {**body, "store": False})
        response = checked(answer.body) if "stream" in body else answer.json()
        assert response["store"] is False
        assert (await get(server, response["id"])).status == 404


async def test_a_conversation_goes_on_here_as_well(start: Start) -> None:
    record = Record()
    server = await start(entry(Able(record=record)))
    for _ in range(2):
        assert (await ask(server, {**HELLO, "conversation_id": "c1"})).status == 200
    said = [message.text for message in record.requests[-1].messages]
    assert said == ["Hello!", "Hello world", "Hello!"]


# what is kept


async def test_a_response_is_given_again(server: Server) -> None:
    response = (await ask(server)).json()
    found = await get(server, response["id"])
    assert (found.status, found.json()) == (200, response)
    assert (await get(server, response["id"], "?stream=false")).status == 200
    refused = await get(server, response["id"], "?stream=true")
    assert refused.status == 400
    assert refused.error()["param"] == "stream"


async def test_a_response_is_forgotten(server: Server) -> None:
    name = (await ask(server)).json()["id"]
    answer = await server.ask("DELETE", f"{PATH}/{name}")
    assert answer.json() == {"id": name, "object": "response", "deleted": True}
    for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/input_items")):
        gone = await server.ask(method, f"{PATH}/{name}{rest}")
        assert gone.status == 404
        assert gone.error()["param"] == "response_id"
    assert (await server.ask("POST", f"{PATH}/{name}/cancel", json={})).status == 404


async def test_the_input_is_listed_with_what_went_before(server: Server) -> None:
    first = (await ask(server)).json()
    body = {**HELLO, "input": "And now?", "previous_response_id": first["id"]}
    second = (await ask(server, body)).json()
    listed = (await get(server, second["id"], "/input_items?order=asc")).json()
    said = [item["content"][0]["text"] for item in listed["data"]]
    assert said == ["Hello!", "Hello world", "And now?"]
    assert listed["data"][1]["id"] == first["output"][0]["id"]
    page = (await get(server, second["id"], "/input_items?limit=1")).json()
    assert page["has_more"] is True
    wrong = await get(server, second["id"], "/input_items?limit=x")
    assert (wrong.status, wrong.error()["param"]) == (400, "limit")


async def test_what_is_not_made_in_the_background_cannot_be_cancelled(server: Server) -> None:
    name = (await ask(server)).json()["id"]
    answer = await server.ask("POST", f"{PATH}/{name}/cancel", json={})
    assert answer.status == 400
    assert answer.error()["message"] == "Cannot cancel a synchronous response."


async def test_what_is_kept_belongs_to_its_key(start: Start) -> None:
    server = await start(settings=attrs.evolve(QUIET, keys=KEYS))
    response = (await ask(server, key="alice")).json()
    name = response["id"]
    assert (await get(server, name, key="alice")).status == 200
    for method, rest in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/input_items"),
        ("POST", "/cancel"),
    ):
        answer = await server.ask(
            method, f"{PATH}/{name}{rest}", json={}, headers={"x-api-key": "bob"}
        )
        assert answer.status == 404
    going_on = {**HELLO, "previous_response_id": name}
    assert (await ask(server, going_on, key="bob")).status == 404
    item = {**HELLO, "input": [{"id": response["output"][0]["id"]}]}
    assert (await ask(server, item, key="bob")).status == 404
    assert (await get(server, name)).status == 401
    assert (await get(server, name, key="alice")).status == 200


# upstreams that keep responses themselves


async def test_a_native_response_passes_and_is_kept_as_it_is(start: Start) -> None:
    native = Native()
    server = await start(entry(native))
    first = (await ask(server)).json()
    assert first == {"id": "resp_up", "object": "response", "output": [], "model": "m"}
    assert (await get(server, "resp_up")).json() == first
    streamed = await ask(server, {**STREAM, "previous_response_id": "resp_up"})
    assert streamed.body.count(b"data: ") == 2
    asked = native.record.requests[-1]
    assert asked.raw is not None
    assert "previous_response_id" not in asked.raw
    assert [item["content"] for item in asked.raw["input"]] == ["Hello!", "Hello!"]
    stored = await (await server.app[STORAGE].open()).responses.get(ResponseKey("local", "resp_up"))
    assert stored is not None
    assert (stored.native, stored.provider, len(stored.input)) == (True, "script", 2)


async def test_what_is_unknown_here_is_left_to_the_upstream(start: Start) -> None:
    native = Native()
    server = await start(entry(native))
    assert (await ask(server, {**HELLO, "previous_response_id": "resp_old"})).status == 200
    assert native.record.requests[-1].raw == {**HELLO, "previous_response_id": "resp_old"}


async def test_what_nobody_can_refer_to_is_not_kept(start: Start) -> None:
    server = await start(entry(Native(body={"id": None})))
    assert (await ask(server)).status == 200
    assert (await ask(server, STREAM)).status == 200


async def test_a_response_in_the_background_is_asked_for_until_it_is_over(start: Start) -> None:
    waiting = {"status": "queued", "background": True}
    native = Native(body=waiting, says={"id": "resp_up", "status": "completed", "background": True})
    server = await start(entry(native, api_key=SecretStr("sk")))
    assert (await ask(server, {**HELLO, "background": True})).json()["status"] == "queued"
    for _ in range(2):
        assert (await get(server, "resp_up")).json() == native.says
    assert [action for _, action, _ in native.kept] == ["get"]
    cancelled = await server.ask("POST", f"{PATH}/resp_up/cancel", json={})
    assert cancelled.json() == native.says
    assert [action for _, action, _ in native.kept] == ["get"]


async def test_it_can_be_cancelled_before(start: Start) -> None:
    native = Native(
        body={"status": "in_progress", "background": True},
        says={"id": "resp_up", "status": "cancelled", "background": True},
    )
    server = await start(entry(native))
    await ask(server, {**HELLO, "background": True})
    cancelled = await server.ask("POST", f"{PATH}/resp_up/cancel", json={})
    assert cancelled.json()["status"] == "cancelled"
    assert (await get(server, "resp_up")).json()["status"] == "cancelled"
    assert [action for _, action, _ in native.kept] == ["cancel"]


async def test_a_response_whose_upstream_is_gone_stays_as_it_was(start: Start) -> None:
    server = await start(entry(Native(body={"status": "queued", "background": True})))
    await ask(server, {**HELLO, "background": True})
    store = (await server.app[STORAGE].open()).responses
    stored = await store.get(ResponseKey("local", "resp_up"))
    assert stored is not None
    await store.put(attrs.evolve(stored, provider="gone"))
    assert (await get(server, "resp_up")).json()["status"] == "queued"


async def test_what_is_forgotten_here_is_forgotten_there(start: Start) -> None:
    native = Native()
    server = await start(entry(native))
    await ask(server)
    assert (await server.ask("DELETE", f"{PATH}/resp_up")).status == 200
    assert [action for _, action, _ in native.kept] == ["delete"]


@pytest.mark.parametrize(("status", "expected"), [(404, 200), (409, 409)])
async def test_what_the_upstream_no_longer_has_is_no_obstacle(
    start: Start, status: int, expected: int
) -> None:
    native = Native(says=BadRequestError("No", status=status))
    server = await start(entry(native))
    await ask(server)
    assert (await server.ask("DELETE", f"{PATH}/resp_up")).status == expected
    assert (await get(server, "resp_up")).status == (404 if expected == 200 else 200)


async def test_clients_that_leave_take_the_call_along(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(steps=(TextDelta("a"), 60.0, Finish()), record=record)))
    url = f"http://{server.address}{PATH}"
    async with server.client.post(url, json=STREAM) as response:
        await response.content.readany()
    async with asyncio.timeout(20):
        await record.over.wait()
