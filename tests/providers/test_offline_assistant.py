from __future__ import annotations

from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import UnsupportedError
from g4f_aio.core.events import Event, Finish, TextDelta, Usage
from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    Role,
    TextPart,
)
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext, UpstreamResponse
from g4f_aio.core.requests import ChatRequest, Sampling, Tool
from g4f_aio.core.tokens import estimate_tokens
from g4f_aio.dialects.structure import strict_converter
from g4f_aio.providers.assistant.replies import INTRODUCTION
from g4f_aio.providers.offline_assistant import OfflineAssistant, _bounded, _pieces


class NoNetwork:
    """An HTTP client that must not be used."""

    def request(self, *_: Any, **__: Any) -> AbstractAsyncContextManager[UpstreamResponse]:
        raise AssertionError("the offline assistant calls nobody")

    get = post = request


CONTEXT = CallContext(http=NoNetwork(), provider="OfflineAssistant")


def said(role: Role, *parts: str | Part) -> Message:
    return Message(role, tuple(TextPart(part) if isinstance(part, str) else part for part in parts))


def request(*messages: Message, sampling: Sampling | None = None) -> ChatRequest:
    return ChatRequest("offline-assistant", messages, sampling=sampling or Sampling())


async def events(asked: ChatRequest) -> list[Event]:
    async with aclosing(OfflineAssistant().chat(asked, CONTEXT)) as stream:
        return [event async for event in stream]


async def answer(*messages: Message, sampling: Sampling | None = None) -> str:
    found = await events(request(*messages, sampling=sampling))
    return "".join(event.text for event in found if isinstance(event, TextDelta))


def test_it_says_what_it_is() -> None:
    assert OfflineAssistant.name == "OfflineAssistant"
    assert OfflineAssistant.description.startswith("Not a language model")
    assert OfflineAssistant.capabilities == Capability.CHAT | Capability.STREAM
    assert (OfflineAssistant.local, OfflineAssistant.key) == (True, "none")
    assert OfflineAssistant().missing() is None
    assert OfflineAssistant().models() == (
        ModelInfo("offline-assistant", owned_by="g4f_aio", not_a_language_model=True),
    )


def test_it_has_no_settings() -> None:
    assert strict_converter().structure({}, OfflineAssistant) == OfflineAssistant()
    assert [field.name for field in attrs.fields(OfflineAssistant) if field.init] == []


async def test_the_answer_comes_in_pieces_then_usage_then_the_end() -> None:
    asked = request(said("system", "Be brief."), said("user", "How do I add a provider?"))
    *deltas, usage, finish = await events(asked)
    assert len(deltas) > 20
    text = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
    assert text.startswith(f"{INTRODUCTION}\n\nThe documentation says:")
    assert "Source: docs/providers.md, lines " in text
    assert usage == Usage(
        input=estimate_tokens("Be brief.") + estimate_tokens("How do I add a provider?"),
        output=estimate_tokens(text),
        estimated=True,
    )
    assert finish == Finish("stop")


async def test_the_same_input_gives_the_same_events() -> None:
    asked = request(said("user", "What is the capital of France?"))
    assert await events(asked) == await events(asked)


async def test_only_the_first_answer_of_a_chat_introduces_it() -> None:
    first = await answer(said("user", "6*7"))
    assert first.startswith(f"{INTRODUCTION}\n\n6*7 = 42")
    second = await answer(
        said("user", "6*7"), said("assistant", first), said("user", "and times two?")
    )
    assert second.startswith("42 * 2 = 84")


async def test_without_a_question_it_says_what_there_is_to_ask() -> None:
    assert "Ask me for example" in await answer(said("system", "Hello, how are you?"))
    assert "Ask me for example" in await answer()


async def test_the_answer_stops_at_a_stop_sequence() -> None:
    sampling = Sampling(stop=("", "not there", "Ask", "me for"))
    *deltas, _, finish = await events(request(said("user", "hi"), sampling=sampling))
    text = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
    assert text == f"{INTRODUCTION}\n\nHello. "
    assert finish == Finish("stop")


@pytest.mark.parametrize("limit", [0, 1, 7, 10])
async def test_the_answer_is_no_longer_than_allowed(limit: int) -> None:
    *deltas, usage, finish = await events(
        request(said("user", "hi"), sampling=Sampling(max_tokens=limit))
    )
    text = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
    assert INTRODUCTION.startswith(text)
    assert isinstance(usage, Usage)
    assert usage.output == estimate_tokens(text) == limit
    assert finish == Finish("length")


async def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    asked = said("user", "hi")
    assert await answer(asked, sampling=Sampling(max_tokens=10_000)) == await answer(asked)


def test_a_stop_sequence_beyond_the_limit_does_not_count() -> None:
    sampling = Sampling(max_tokens=2, stop=("ijk",))
    assert _bounded("abcdefghijk", sampling) == ("abcdefghij", "length")
    assert _bounded("abcdefghijk", attrs.evolve(sampling, stop=("gh",))) == ("abcdef", "stop")


@given(st.text())
def test_the_pieces_make_up_the_text(text: str) -> None:
    pieces = list(_pieces(text))
    assert "".join(pieces) == text
    assert all(pieces)


ASKED = request(said("user", "hi"))


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        (attrs.evolve(ASKED, tools=(Tool("f"),)), "tools"),
        (attrs.evolve(ASKED, response_format={"type": "json_object"}), "response_format"),
        (attrs.evolve(ASKED, response_format={"type": "json_schema"}), "response_format"),
        (attrs.evolve(ASKED, n=2), "n"),
        (attrs.evolve(ASKED, options={"logprobs": True}), "logprobs"),
        (attrs.evolve(ASKED, options={"top_logprobs": 2}), "top_logprobs"),
        (attrs.evolve(ASKED, options={"modalities": ["text", "audio"]}), "modalities"),
        (request(said("user", "look", ImagePart("data:,"))), "messages[0].content[1]"),
        (
            request(said("system", "x"), said("user", AudioPart("", "wav"))),
            "messages[1].content[0]",
        ),
        (request(said("user", FilePart(id="file-1"))), "messages[0].content[0]"),
        (request(said("user", OtherPart("video_url", {}))), "messages[0].content[0]"),
    ],
)
async def test_what_it_cannot_do_is_refused_by_name(asked: ChatRequest, param: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        await events(asked)
    assert (caught.value.status, caught.value.code) == (400, "unsupported_parameter")
    assert caught.value.param == param
    assert caught.value.provider == "OfflineAssistant"
    assert caught.value.message.startswith(f"$.{param}: ")


@pytest.mark.parametrize(
    "asked",
    [
        attrs.evolve(ASKED, response_format={"type": "text"}),
        attrs.evolve(ASKED, tool_choice="none"),
        attrs.evolve(ASKED, options={"modalities": 7}),
        attrs.evolve(ASKED, options={"modalities": ["text"], "logprobs": False}),
        request(said("user", ImagePart("data:,")), said("assistant", "?"), said("user", "hi")),
        request(said("user", "hi", RefusalPart("no"))),
    ],
)
async def test_what_asks_for_nothing_special_is_answered(asked: ChatRequest) -> None:
    assert (await events(asked))[-1] == Finish("stop")


async def test_a_megabyte_is_answered_in_pieces_of_reasonable_number() -> None:
    found = await events(request(said("user", "word " * 200_000)))
    assert found[-1] == Finish("stop")
    assert len(found) < 1000
