"""Requests that refer to kept responses, and responses that their upstream still works at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import attrs
import orjson
import pytest

from g4f_aio.core.errors import (
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    UnsupportedError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.events import Event, EventStream, Finish, TextDelta
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext, Provider, ResponseAction
from g4f_aio.core.requests import ChatRequest
from g4f_aio.core.stores import ResponseKey, StoredResponse
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.gateway import continuation
from g4f_aio.gateway.continuation import act, kept, not_found, resume
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.openai_compatible import CHAT
from g4f_aio.providers.pool import Pool
from g4f_aio.settings import ProviderSettings, RoutingSettings, Settings
from g4f_aio.settings.secret import SecretStr
from g4f_aio.storage.storage import DatabaseStorage
from tests.memory_storage import storage_in_memory

Json = dict[str, Any]

SECRET = "sk-server-5310"


@attrs.frozen(kw_only=True)
class Chatting(Provider):
    """Chats, and nothing more."""

    name: ClassVar[str] = "chatting"
    label: ClassVar[str] = "Chats"
    description: ClassVar[str] = "Chats"
    key: ClassVar[str] = "optional"
    capabilities: ClassVar[Capability] = CHAT

    listed: tuple[str, ...] = ("m",)

    def models(self) -> tuple[ModelInfo, ...]:
        return tuple(map(ModelInfo, self.listed))

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield TextDelta("Hi")
        yield Finish()


@attrs.frozen(kw_only=True)
class Native(Chatting):
    """Speaks the Responses API; *answer* is what it says of the responses it keeps."""

    name: ClassVar[str] = "native"

    answer: Any = None
    asked: list[tuple[str, ResponseAction, str | None, bool]] = attrs.field(factory=list)

    def speaks(self, dialect: str) -> bool:
        return dialect == OPENAI_RESPONSES.name

    async def kept_response(
        self, response_id: str, ctx: CallContext, action: ResponseAction = "get"
    ) -> Json:
        self.asked.append((response_id, action, ctx.credential, ctx.own_credential))
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        found: Json = self.answer
        return found


def entry(provider: Provider, name: str = "") -> Entry:
    table = ProviderSettings(type=provider.name, api_key=SecretStr(SECRET))
    return Entry(name or provider.name, "tests", "tests", "0", table, provider, chosen=True)


def gateway(session: Pool, *entries: Entry) -> Gateway:
    settings = Settings(routing=RoutingSettings(detect_local=False))
    return Gateway(settings, Registry.of(*entries, settings=settings), session)


@pytest.fixture
def chats(session: Pool) -> Gateway:
    """Nobody here speaks the Responses API itself."""
    return gateway(session, entry(Chatting()))


@pytest.fixture
def both(session: Pool) -> Gateway:
    """Somebody does, but comes second; and a further one third."""
    return gateway(session, entry(Chatting()), entry(Native()), entry(Native(), "other"))


def asked(**fields: Any) -> ChatRequest:
    return OPENAI_RESPONSES.decode_request(
        orjson.dumps({"model": "m", "input": "And now?"} | fields)
    )


def message(name: str, text: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": name, "role": "assistant", "content": [part]}


USER: Json = {"type": "message", "role": "user", "content": "Hi"}


@pytest.fixture
async def storage() -> AsyncIterator[DatabaseStorage]:
    """Where responses are kept; empty."""
    async with storage_in_memory() as made:
        yield made


async def put(storage: DatabaseStorage, response: StoredResponse) -> None:
    await (await storage.open()).responses.put(response)


def stored(
    status: str = "completed", owner: str = "alice", provider: str = "native"
) -> StoredResponse:
    body = {"id": "resp_1", "status": status, "output": [message("msg_1", "Hello")]}
    key = ResponseKey(owner, "resp_1")
    return StoredResponse(key, body, (USER,), provider, native=True)


def said(request: ChatRequest) -> list[str]:
    return [f"{message.role}: {message.text}" for message in request.messages]


# going on


async def test_a_request_that_refers_to_nothing_stays_as_it_is(
    chats: Gateway, storage: DatabaseStorage
) -> None:
    request = asked()
    assert await resume(request, "alice", storage, chats) is request


async def test_a_request_goes_on_from_a_kept_response(
    chats: Gateway, storage: DatabaseStorage
) -> None:
    await put(storage, stored())
    request = asked(previous_response_id="resp_1", instructions="Be brief")
    found = await resume(request, "alice", storage, chats)
    assert said(found) == ["system: Be brief", "user: Hi", "assistant: Hello", "user: And now?"]
    assert found.raw is not None
    assert [item["role"] for item in found.raw["input"]] == ["user", "assistant", "user"]
    assert "previous_response_id" not in found.raw
    assert found.routing is request.routing


async def test_but_not_from_more_items_than_any_model_reads(
    chats: Gateway, storage: DatabaseStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuation, "ITEMS", 1)
    await put(storage, stored())
    with pytest.raises(BadRequestError, match="more than 1 items before") as caught:
        await resume(asked(previous_response_id="resp_1"), "alice", storage, chats)
    assert caught.value.code == "context_length_exceeded"


async def test_a_request_may_name_items(chats: Gateway, storage: DatabaseStorage) -> None:
    await put(storage, stored())
    items = [USER, {"type": "item_reference", "id": "msg_1"}]
    found = await resume(asked(input=items), "alice", storage, chats)
    assert said(found) == ["user: Hi", "assistant: Hello"]


async def test_both_at_once(chats: Gateway, storage: DatabaseStorage) -> None:
    await put(storage, stored())
    request = asked(previous_response_id="resp_1", input=[{"id": "msg_1"}])
    found = await resume(request, "alice", storage, chats)
    assert said(found) == ["user: Hi", "assistant: Hello", "assistant: Hello"]


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        (
            {"previous_response_id": "resp_1"},
            "previous_response_id",
            "previous_response_not_found",
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]", None),
    ],
)
async def test_what_is_not_there_is_not_found(
    chats: Gateway, fields: Json, param: str, code: str | None, storage: DatabaseStorage
) -> None:
    for others in ((), (stored(owner="bob"),)):
        for other in others:
            await put(storage, other)
        with pytest.raises(BadRequestError) as caught:
            await resume(asked(**fields), "alice", storage, chats)
        error = caught.value
        assert (error.status, error.param, error.code) == (404, param, code)


async def test_another_s_response_is_not_found_even_where_an_upstream_may_know_it(
    both: Gateway, storage: DatabaseStorage
) -> None:
    await put(storage, stored(owner="bob"))
    with pytest.raises(BadRequestError) as caught:
        await resume(asked(previous_response_id="resp_1"), "alice", storage, both)
    assert caught.value.status == 404


# what only native upstreams can supply


@pytest.mark.parametrize(
    ("fields", "param", "what"),
    [
        ({"background": True}, "background", "background"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]", "web_search"),
    ],
)
async def test_what_nobody_can_supply_is_named(
    chats: Gateway, fields: Json, param: str, what: str, storage: DatabaseStorage
) -> None:
    for model, who in (("m", "'m'"), ("", "default")):
        with pytest.raises(UnsupportedError) as caught:
            await resume(asked(model=model, **fields), "alice", storage, chats)
        error = caught.value
        assert (error.status, error.param, error.code) == (400, param, "unsupported_parameter")
        assert error.message.startswith(f"$.{param}: {what} ")
        assert who in error.message


@pytest.mark.parametrize(
    "fields",
    [
        {"background": True},
        {"previous_response_id": "resp_upstream"},
        {"input": [{"type": "item_reference", "id": "msg_upstream"}]},
        {"tools": [{"type": "web_search"}]},
    ],
)
async def test_it_goes_to_whoever_can(
    both: Gateway, fields: Json, storage: DatabaseStorage
) -> None:
    request = asked(**fields)
    found = await resume(request, "alice", storage, both)
    assert (found.routing.provider, found.model) == ("native", "m")
    assert (found.raw, found.messages) == (request.raw, request.messages)
    (candidate,) = await both.now.catalog.candidates(found)
    assert candidate.entry.name == "native"


async def test_the_default_model_of_whoever_can_is_asked(
    both: Gateway, storage: DatabaseStorage
) -> None:
    found = await resume(asked(model="", background=True), "alice", storage, both)
    assert (found.routing.provider, found.model) == ("native", "m")


async def test_what_is_known_here_is_put_in_all_the_same(
    both: Gateway, storage: DatabaseStorage
) -> None:
    await put(storage, stored())
    request = asked(
        previous_response_id="resp_upstream", input=[{"type": "item_reference", "id": "msg_1"}]
    )
    found = await resume(request, "alice", storage, both)
    assert found.raw is not None
    assert found.raw["previous_response_id"] == "resp_upstream"
    assert found.raw["input"] == [message("msg_1", "Hello")]


async def test_a_response_that_is_not_over_is_left_to_its_upstream(
    both: Gateway, storage: DatabaseStorage
) -> None:
    await put(storage, stored("in_progress", provider="other"))
    found = await resume(asked(previous_response_id="resp_1"), "alice", storage, both)
    assert found.raw is not None
    assert found.raw["previous_response_id"] == "resp_1"
    assert found.routing.provider == "other"


async def test_a_caller_s_key_stays_with_whom_it_was_found_for(
    both: Gateway, storage: DatabaseStorage
) -> None:
    for keys, expected in (
        ("sk-own", {}),
        ({"native": "sk-own", "chatting": "x"}, {"": "sk-own"}),
    ):
        request = asked(background=True, api_key=keys)
        found = await resume(request, "alice", storage, both)
        assert found.routing.api_keys == expected


async def test_it_cannot_be_had_with_a_transcript(both: Gateway, storage: DatabaseStorage) -> None:
    with pytest.raises(UnsupportedError) as caught:
        await resume(asked(background=True, conversation_id="c"), "a", storage, both)
    assert caught.value.param == "background"
    assert "conversation_id" in caught.value.message


async def test_an_unknown_model_is_the_first_thing_to_say(
    both: Gateway, storage: DatabaseStorage
) -> None:
    with pytest.raises(ModelNotFoundError):
        await resume(asked(model="none", background=True), "a", storage, both)


# keeping


async def told(*steps: Event | Exception) -> EventStream:
    for step in steps:
        if isinstance(step, Exception):
            raise step
        yield step


async def test_it_is_kept_when_everything_was_read() -> None:
    events: list[Event] = []
    seen: list[Event] = []

    async def keep() -> None:
        seen.extend(events)

    async for event in kept(told(TextDelta("a"), Finish()), keep):
        events.append(event)  # noqa: PERF401  (what is there when it is kept counts)
    assert seen == events == [TextDelta("a"), Finish()]


async def test_what_fails_or_is_left_is_not_kept() -> None:
    async def keep() -> None:
        raise AssertionError

    with pytest.raises(UpstreamError):
        async for _ in kept(told(TextDelta("a"), UpstreamError("It broke")), keep):
            pass
    left = kept(told(TextDelta("a"), Finish()), keep)
    await anext(left)
    await left.aclose()


# what an upstream keeps


async def test_an_upstream_is_asked_with_the_key_that_fits(session: Pool) -> None:
    native = Native(answer={"id": "resp_1", "status": "completed"})
    both = gateway(session, entry(native))
    assert await act(stored(), "get", both) == native.answer
    assert await act(stored(), "cancel", both, "sk-own") == native.answer
    assert native.asked == [
        ("resp_1", "get", SECRET, False),
        ("resp_1", "cancel", "sk-own", True),
    ]


async def test_nobody_is_asked_for_what_nobody_else_keeps(session: Pool) -> None:
    native = Native(answer={})
    known = gateway(session, entry(native), entry(Chatting()))
    ours = attrs.evolve(stored(), native=False)
    gone = stored(provider="gone")
    translated = stored(provider="chatting")
    for one in (ours, gone, translated):
        assert await act(one, "get", known) is None
    assert native.asked == []


@pytest.mark.parametrize(
    ("answer", "expected", "message_"),
    [
        (BadRequestError(f"no {SECRET}", status=404), BadRequestError, "no ***"),
        (RuntimeError(SECRET), UpstreamError, "native failed with RuntimeError"),
        (None, UpstreamTimeoutError, "native did not answer within 0.01 s"),
    ],
)
async def test_it_fails_in_words_of_ours(
    session: Pool,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    expected: type[GatewayError],
    message_: str,
) -> None:
    monkeypatch.setattr(continuation, "TIMEOUT", 0.01)
    failing = gateway(session, entry(Native(answer=answer)))
    with pytest.raises(expected) as caught:
        await act(stored(), "get", failing)
    assert caught.value.message == message_


def test_a_response_that_is_not_there() -> None:
    error = not_found("resp_1")
    assert (error.status, error.param, error.type) == (
        404,
        "response_id",
        "invalid_request_error",
    )
    assert "resp_1" in error.message
