"""The provider that answers by script."""

from __future__ import annotations

import time
from contextlib import aclosing

import pytest

from g4f_aio import (
    CallContext,
    ChatRequest,
    Finish,
    Message,
    TextDelta,
    TextPart,
    UpstreamError,
    Usage,
)
from g4f_aio.core.events import Event
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.scripted import Scripted
from g4f_aio.providers.upstream import Client

REQUEST = ChatRequest("scripted", (Message("user", (TextPart("two words"),)),))


@pytest.fixture
def context(session: Pool) -> CallContext:
    """What a call may use."""
    return CallContext(Client(session, "load", 1.0, 1.0, 2**16), "load")


async def answer(provider: Scripted, context: CallContext) -> list[Event]:
    """All its events."""
    async with aclosing(provider.chat(REQUEST, context)) as events:
        return [event async for event in events]


async def test_it_says_its_answer_word_by_word(context: CallContext) -> None:
    assert await answer(Scripted(answer="Good morning to you"), context) == [
        TextDelta("Good"),
        TextDelta(" morning"),
        TextDelta(" to"),
        TextDelta(" you"),
        Usage(2, 4),
        Finish("stop"),
    ]


async def test_it_repeats_it(context: CallContext) -> None:
    events = await answer(Scripted(answer="a b", repeat=3), context)
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == "a b a b a b"


async def test_it_takes_its_time(context: CallContext) -> None:
    begin = time.monotonic()
    await answer(Scripted(answer="a b c", delay=0.05), context)
    assert time.monotonic() - begin > 0.14


async def test_it_fails_when_it_is_told_to(context: CallContext) -> None:
    found: list[Event] = []
    provider = Scripted(answer="a b c", fail_after=2)
    async with aclosing(provider.chat(REQUEST, context)) as events:
        found.append(await anext(events))
        found.append(await anext(events))
        with pytest.raises(UpstreamError, match="load fails as told"):
            await anext(events)
    assert found == [TextDelta("a"), TextDelta(" b")]


async def test_it_can_fail_at_once(context: CallContext) -> None:
    with pytest.raises(UpstreamError):
        await answer(Scripted(fail_after=0), context)


def test_it_never_answers_unless_the_settings_name_it() -> None:
    assert Scripted().opt_in
    (model,) = Scripted().models()
    assert (model.id, model.not_a_language_model) == ("scripted", True)
