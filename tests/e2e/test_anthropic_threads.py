"""Conversations that Anthropic's servers keep, as its clients' tool runner asks for by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool

from tests.e2e.clients import CALL, CHAT, CHATTING, KEY, MESSAGES, World

ASKED: Any = {"max_tokens": 500, "messages": [{"role": "user", "content": CALL}]}


@beta_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"12 °C in {city}"


@pytest.fixture
def sdk(world: World) -> Iterator[anthropic.Anthropic]:
    """The client, which does not try again."""
    world.forget()
    with anthropic.Anthropic(
        base_url=world.gateway.url, api_key=KEY, max_retries=0, timeout=20
    ) as made:
        yield made


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", CHATTING)
def test_a_tool_runner(
    sdk: anthropic.Anthropic, world: World, model: str, *, streamed: bool
) -> None:
    """It sends what is new alone to who keeps the rest, and everything to all others."""
    runner: Any = sdk.beta.messages.tool_runner(
        model=model, tools=[get_weather], stream=streamed, **ASKED
    )
    last = runner.until_done()
    assert "12 °C in Köln" in last.content[-1].text
    if model == MESSAGES:
        first, second = asyncio.run(world.messages.bodies())
        assert first["thread"] == {"type": "create"}
        assert second["thread"]["type"] == "continue"
        assert [message["role"] for message in second["messages"]] == ["user"]
    else:
        _, second = (one["body"] for one in world.upstream.fetch_records() if one["body"])
        assert CALL in str(second["messages"][0]["content"])


def test_a_conversation_that_was_lost_begins_again(sdk: anthropic.Anthropic, world: World) -> None:
    thread = sdk.beta.messages.thread(model=MESSAGES, max_tokens=99)
    thread.send({"role": "user", "content": "One"})
    assert thread.previous_message_id is not None
    world.messages.forget()
    thread.send({"role": "user", "content": "Two"})
    lost, again = asyncio.run(world.messages.bodies())
    assert lost["thread"]["type"] == "continue"
    assert again["thread"] == {"type": "create"}
    assert [message["content"] for message in again["messages"][::2]] == ["One", "Two"]


def test_without_who_keeps_it_that_is_an_error(sdk: anthropic.Anthropic) -> None:
    thread = sdk.beta.messages.thread(model=CHAT, max_tokens=99)
    with pytest.raises(anthropic.BadRequestError, match=r"\$\.thread: only an upstream"):
        thread.send({"role": "user", "content": "One"})
