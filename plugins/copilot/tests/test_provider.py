"""The provider's calls: what it sends and to whom, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from g4f_aio_copilot import Copilot
from g4f_aio_copilot.chat_socket import FRAME_LIMIT
from g4f_aio_copilot.faults import REMEDY

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    Citation,
    Citations,
    ConversationState,
    Event,
    Finish,
    GatewayError,
    Media,
    Message,
    ModelNotFoundError,
    RateLimitError,
    ReasoningDelta,
    Status,
    Suggestions,
    TextDelta,
    Timeouts,
    Title,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.core.messages import TextPart

from .conftest import PATIENCE, Caller, ask_for

COOKIE = "good-cookie-value"


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def failure(caller: Caller, prompt: str = "Hello", **more: Any) -> GatewayError:
    """The error of a call; it quotes no secret and hangs on nothing that does."""
    with pytest.raises(GatewayError) as caught:
        await caller.ask(prompt, **more)
    error = caught.value
    assert error.provider == "Copilot"
    assert "-1234" not in error.message
    assert COOKIE not in error.message
    assert error.__cause__ is None
    return error


async def save(folder: Path, document: object) -> str:
    """A file with an export, for the settings to name."""
    path = folder / "session.json"
    await asyncio.to_thread(path.write_text, json.dumps(document), "utf-8")
    return str(path)


async def test_an_answer(caller: Caller) -> None:
    assert await caller.ask("Hello big world") == [
        ConversationState({"conversation_id": "conversation-1"}),
        TextDelta("Hello "),
        TextDelta("big "),
        TextDelta("world "),
        Title("An echo"),
        Suggestions(("Why?", "How?")),
        Finish("stop"),
    ]


async def test_what_is_sent(caller: Caller) -> None:
    await caller.ask("Hello")
    begun = await caller.service.last("/c/api/start")
    assert begun["headers"]["authorization"] == "Bearer good-token-1234"
    assert begun["headers"]["user-agent"].startswith("g4f_aio/")
    assert begun["query"] == {}
    assert begun["body"]["startNewConversation"] is True
    talked = await caller.service.last()
    assert talked["headers"]["user-agent"] == begun["headers"]["user-agent"]
    assert {"authorization", "cookie", "origin"}.isdisjoint(talked["headers"])
    assert talked["query"].pop("clientSessionId")
    assert talked["query"] == {"api-version": "2", "accessToken": "good-token-1234"}
    assert talked["body"] == {
        "event": "send",
        "conversationId": "conversation-1",
        "content": [{"type": "text", "text": "Hello"}],
        "mode": "chat",
    }


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        ("Copilot", "chat"),
        ("gpt-4o", "chat"),
        ("Think Deeper", "reasoning"),
        ("think-deeper", "reasoning"),
        ("Smart (GPT-5)", "smart"),
        ("smart-gpt-5", "smart"),
    ],
)
async def test_models_are_modes(caller: Caller, model: str, mode: str) -> None:
    await caller.ask("Hello", model=model)
    assert (await caller.service.last())["body"]["mode"] == mode


async def test_every_listed_model_is_one(caller: Caller) -> None:
    for info in Copilot().models():
        for name in (info.id, *info.aliases):
            assert text_of(await caller.ask("Hello", model=name)) == "Hello "


async def test_another_model_is_none(caller: Caller) -> None:
    error = await failure(caller, model="gpt-9")
    assert type(error) is ModelNotFoundError
    assert "it has Copilot, Think Deeper, Smart (GPT-5)" in error.message
    assert await asyncio.to_thread(caller.service.records) == []


async def test_thinking(caller: Caller) -> None:
    events = await caller.ask("think", model="Think Deeper")
    assert events[1:4] == [ReasoningDelta("Let me see. "), ReasoningDelta("Yes."), TextDelta("42")]


async def test_pictures_and_sources(caller: Caller) -> None:
    drawn = await caller.ask("draw")
    assert drawn[1:3] == [
        Status("Making an image: a cat"),
        Media("image", "https://images.example/cat.png", alt="a cat"),
    ]
    cited = await caller.ask("cite")
    assert cited[2:4] == [
        Citations((Citation("https://sky.example/", "On skies"),)),
        Citations((Citation("https://blue.example/"),)),
    ]


async def test_a_long_answer_comes_whole(caller: Caller) -> None:
    assert len(text_of(await caller.ask("many 32"))) == 2**21


async def test_pieces_come_when_they_are_there(caller: Caller) -> None:
    call = caller.provider().chat(ask_for("slow"), caller.context())
    async with asyncio.timeout(PATIENCE), aclosing(call) as events:
        # who stops it after the first word can go on from there all the same
        assert await anext(events) == ConversationState({"conversation_id": "conversation-1"})
        assert await anext(events) == TextDelta("one ")
        assert (await caller.service.last())["closed_at"] is None


async def test_a_conversation_goes_on(caller: Caller) -> None:
    messages = (
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("Hello"),)),
        Message("assistant", (TextPart("Hi."),)),
        Message("user", (TextPart("Bye"),)),
    )
    state = {"conversation_id": "conversation-of-old"}
    states = {"Copilot": state, "Other": {"conversation_id": "another"}}
    events = await caller.ask("", messages=messages, states=states)
    assert text_of(events) == "Bye "
    assert ConversationState(state) in events
    assert (await caller.service.last())["body"]["conversationId"] == "conversation-of-old"
    assert await asyncio.to_thread(caller.service.records, "/c/api/start") == []
    del states["Copilot"]
    events = await caller.ask("", messages=messages, states=states)
    assert text_of(events).startswith("System: Be brief.\n\nUser: Hello\n\nAssistant: Hi.")
    assert ConversationState(state) not in events


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"conversation_id": 7},
        {"conversation_id": ""},
        {"conversation_id": "a" * 201},
    ],
)
async def test_a_state_that_was_not_given_out_here_begins_a_new_conversation(
    caller: Caller, given: dict[str, object]
) -> None:
    events = await caller.ask("Hello", states={"Copilot": given})
    assert ConversationState({"conversation_id": "conversation-1"}) in events
    assert (await caller.service.last("/c/api/start"))["body"]["startNewConversation"] is True


def test_what_the_service_cannot_be_told() -> None:
    assert Copilot.ignores == {"max_tokens", "stop"}


async def test_a_prompt_has_a_limit(caller: Caller) -> None:
    error = await failure(caller, "a" * 11, provider=caller.provider(max_prompt=10))
    assert (type(error), error.code) == (BadRequestError, "context_length_exceeded")


async def test_a_session_of_cookies(caller: Caller, tmp_path: Path) -> None:
    cookies = [
        {"name": "_C_Auth", "value": COOKIE, "domain": "127.0.0.1"},
        {"name": "other", "value": "elsewhere's", "domain": ".microsoft.com"},
    ]
    provider = caller.provider(cookies_file=await save(tmp_path, cookies))
    events = await caller.ask("Hello", provider=provider, context=caller.context(None))
    assert text_of(events) == "Hello "
    for path in ("/c/api/start", "/c/api/chat"):
        asked = await caller.service.last(path)
        assert asked["headers"]["cookie"] == f"_C_Auth={COOKIE}"
        assert "authorization" not in asked["headers"]
        assert "accessToken" not in asked["query"]


def har(token: str) -> object:
    headers = [{"name": "Cookie", "value": f"a=1; _C_Auth={COOKIE}"}]
    url = f"ws://127.0.0.1/c/api/chat?accessToken={token}&X-UserIdentityType=google"
    return {"log": {"entries": [{"request": {"url": url, "headers": headers}}]}}


async def test_a_session_of_a_har(caller: Caller, tmp_path: Path) -> None:
    provider = caller.provider(cookies_file=await save(tmp_path, har("good-har-1234")))
    await caller.ask("Hello", provider=provider, context=caller.context(None))
    begun, talked = await asyncio.to_thread(caller.service.records)
    assert begun["headers"]["authorization"] == "Bearer good-har-1234"
    assert talked["query"]["accessToken"] == "good-har-1234"
    assert talked["query"]["X-UserIdentityType"] == "google"
    assert talked["headers"]["cookie"] == f"a=1; _C_Auth={COOKIE}"


async def test_the_key_counts_before_the_file_s_token(caller: Caller, tmp_path: Path) -> None:
    provider = caller.provider(cookies_file=await save(tmp_path, har("expired-1234")))
    await caller.ask("Hello", provider=provider)
    talked = await caller.service.last()
    assert talked["query"]["accessToken"] == "good-token-1234"
    assert "X-UserIdentityType" not in talked["query"]
    assert COOKIE in talked["headers"]["cookie"]


async def test_a_caller_s_own_token_goes_without_the_server_s_cookies(
    caller: Caller, tmp_path: Path
) -> None:
    provider = caller.provider(cookies_file=await save(tmp_path, har("server-1234")))
    own = caller.context("good-own-1234", own_credential=True)
    await caller.ask("Hello", provider=provider, context=own)
    for asked in await asyncio.to_thread(caller.service.records):
        assert COOKIE not in str(asked)
        assert "server-1234" not in str(asked)


async def test_a_new_export_is_taken_at_once(caller: Caller, tmp_path: Path) -> None:
    provider = caller.provider(cookies_file=await save(tmp_path, har("expired-1234")))
    nothing = caller.context(None)
    assert type(await failure(caller, provider=provider, context=nothing)) is UpstreamAuthError
    await save(tmp_path, har("good-again-1234"))
    assert await caller.ask("Hello", provider=provider, context=nothing)


async def test_without_a_session_nothing_is_asked(caller: Caller, tmp_path: Path) -> None:
    nothing = caller.context(None)
    for settings, context, said in (
        ({}, nothing, "needs cookies_file, or an access token as its key"),
        ({"cookies_file": str(tmp_path / "none")}, nothing, "its cookies_file does not exist"),
        ({"cookies_file": await save(tmp_path, [])}, nothing, "its cookies_file holds no cookies"),
        ({}, caller.context("a b -1234"), "its key is no access token"),
    ):
        error = await failure(caller, provider=caller.provider(**settings), context=context)
        assert type(error) is UpstreamAuthError
        assert said in error.message
        assert error.message.endswith(REMEDY)
        assert str(tmp_path) not in error.message
    assert await asyncio.to_thread(caller.service.records) == []


@pytest.mark.parametrize(
    ("credential", "kind", "said"),
    [
        ("expired-1234", UpstreamAuthError, "answered 401, so it does not take the session"),
        ("barred-1234", UpstreamAuthError, "answered 403, so it does not take the session"),
        ("start-302-1234", UpstreamAuthError, "answered 302, which leads elsewhere"),
        ("start-429-1234", RateLimitError, "Copilot answered 429: trouble with None and ***"),
        ("start-500-1234", UpstreamError, "Copilot answered 500: trouble with None and ***"),
        ("start-junk-1234", UpstreamError, "malformed JSON"),
        ("start-noid-1234", UpstreamError, "began no conversation"),
        ("socket-401-1234", UpstreamAuthError, "answered 401"),
        ("socket-403-1234", UpstreamAuthError, "answered 403"),
        ("socket-307-1234", UpstreamAuthError, "answered 307, which leads elsewhere"),
        ("socket-429-1234", RateLimitError, "answered 429: too many requests"),
        ("socket-460-1234", UpstreamError, "answered 460"),
        ("socket-200-1234", UpstreamError, "does not speak WebSocket there"),
        ("socket-cut-1234", UpstreamError, "opened no WebSocket: ServerDisconnectedError"),
    ],
)
async def test_refusals(
    caller: Caller, credential: str, kind: type[GatewayError], said: str
) -> None:
    error = await failure(caller, context=caller.context(credential))
    assert type(error) is kind, error
    assert said in error.message
    assert (REMEDY in error.message) is (kind is UpstreamAuthError)
    if isinstance(error, RateLimitError):
        assert error.retry_after == 7
    assert await asyncio.to_thread(caller.service.records, "/elsewhere") == []


async def test_what_is_quoted_has_no_cookies_in_it(caller: Caller, tmp_path: Path) -> None:
    provider = caller.provider(cookies_file=await save(tmp_path, har("start-500-1234")))
    error = await failure(caller, provider=provider, context=caller.context(None))
    assert error.message == "Copilot answered 500: trouble with a=1; _C_Auth=*** and ***"


async def test_whose_session_it_is_decides_who_is_refused(caller: Caller) -> None:
    for credential in ("expired-1234", "socket-403-1234"):
        own = caller.context(credential, own_credential=True)
        assert type(await failure(caller, context=own)) is AuthenticationError


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("challenge hashcash", "wants proof that a person is there (hashcash challenge)"),
        ("challenge cloudflare done", "wants proof that a person is there (cloudflare challenge)"),
        ("challenge none !close", "sent a challenge and nothing after it"),
        ("challenge none !cut", "sent a challenge and nothing after it"),
    ],
)
async def test_challenges_are_not_taken_up(caller: Caller, prompt: str, said: str) -> None:
    error = await failure(caller, prompt)
    assert type(error) is UpstreamAuthError
    assert said in error.message
    assert error.message.endswith(REMEDY)
    sent = (await caller.service.last())["body"]
    assert sent["event"] == "send"


async def test_a_challenge_that_asks_for_nothing_may_be_followed_by_an_answer(
    caller: Caller,
) -> None:
    assert text_of(await caller.ask("challenge none say done")) == "Hi"


async def test_silence_after_a_challenge_is_not_waited_for(caller: Caller) -> None:
    brief = caller.context(timeouts=Timeouts(connect=10, headers=0.3))
    error = await failure(caller, "challenge none", context=brief)
    assert "sent a challenge and nothing after it" in error.message


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("frame !cut", "closed the WebSocket before the end of its answer (code 1006)"),
        ("frame !close", "closed the WebSocket before the end of its answer (code 1001)"),
        ("frame !break", "sent no proper frame"),
        ("frame <html>", "sent a frame that is no JSON"),
        ("frame []", "sent a frame that is no event"),
        ('frame {"event": "appendText"}', "sent a malformed appendText event"),
        ("data", "sent a frame that is no text"),
        ("huge", f"sent a frame of more than {FRAME_LIMIT} bytes"),
        ("error good-token-1234", "failed: internal: error ***"),
    ],
)
async def test_what_breaks_off_is_no_answer(caller: Caller, prompt: str, said: str) -> None:
    error = await failure(caller, prompt)
    assert (type(error), error.message) == (UpstreamError, f"Copilot {said}")


@pytest.mark.parametrize("frame", ["!cut", "!close", "no json", '{"event": "appendText"}'])
async def test_what_happens_after_the_end_is_no_fault_of_the_answer(
    caller: Caller, frame: str
) -> None:
    events = await caller.ask(f"after {frame}")
    assert events[1] == TextDelta("Hi")
    assert events[-1] == Finish("stop")


async def test_what_is_said_after_the_end_is_none_of_the_answer(caller: Caller) -> None:
    events = await caller.ask('after {"event": "appendText", "text": "!"}')
    assert text_of(events) == "Hi"


async def test_questions_are_waited_for_as_long_as_the_settings_say(caller: Caller) -> None:
    provider = caller.provider(followups_wait=0)
    assert await caller.ask("after {}", provider=provider) == [
        ConversationState({"conversation_id": "conversation-1"}),
        TextDelta("Hi"),
        Finish("stop"),
    ]
    began = time.monotonic()
    await caller.ask("quiet", provider=caller.provider(followups_wait=0.2))
    assert time.monotonic() - began > 0.2


def test_what_it_is_sent_through_must_be_safe() -> None:
    for good in (
        "https://copilot.example/",
        "http://127.0.0.1:1",
        "http://localhost",
        "http://[::1]",
    ):
        assert Copilot(base_url=good).missing() is None
    for bad in (
        "",
        "copilot.example",
        "http://copilot.example",
        "ws://127.0.0.1",
        "https://user:word@copilot.example",
        "https://copilot.example/?a=b",
        "https://[half",
    ):
        missing = Copilot(base_url=bad).missing()
        assert missing == "a base_url that begins with https://, because your session is sent there"


async def test_a_bad_address_is_not_called_either(caller: Caller) -> None:
    error = await failure(caller, provider=Copilot(base_url="http://copilot.example"))
    assert "needs a base_url that begins with https://" in error.message


async def test_a_path_before_the_service_s_own(caller: Caller) -> None:
    provider = caller.provider(base_url=f"{caller.service.root}/behind/")
    error = await failure(caller, provider=provider)
    assert error.message.startswith("Copilot answered 404: 404: Not Found")


def test_nobody_prints_where_the_session_is() -> None:
    assert "session.json" not in repr(Copilot(cookies_file="session.json"))
