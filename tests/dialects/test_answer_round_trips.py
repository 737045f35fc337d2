"""Answers told in one dialect and then in another: nothing is lost on the way, streamed or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.events import (
    Event,
    Finish,
    FinishReason,
    Logprobs,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.base import Dialect
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES

from ..e2e.matrix.answer import Answer, Ask, Choice, Tokens, call
from ..e2e.matrix.chat import Chat
from ..e2e.matrix.dialect import Dialect as Reader
from ..e2e.matrix.messages import Messages
from ..e2e.matrix.responses import Responses
from .wire import cut, fed, whole

ASK = Ask()
#: towards clients: who writes, and who reads it strictly
FACES: dict[str, tuple[Dialect, Reader]] = {
    "chat": (OPENAI_CHAT, Chat()),
    "responses": (OPENAI_RESPONSES, Responses()),
    "messages": (ANTHROPIC_MESSAGES, Messages()),
}
#: those that are read as an upstream's, too, but for the Responses API, which is only handed on
UPSTREAMS = ("chat", "messages")

TEXT = st.text(min_size=1, max_size=8)
ARGUMENTS = st.dictionaries(st.text(max_size=3), st.integers(-9, 9) | TEXT, max_size=2)
TOKEN = st.builds(
    lambda token, value: {"token": token, "logprob": value, "bytes": None, "top_logprobs": []},
    TEXT,
    st.floats(-9, 0),
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """The events of an answer: thoughts and texts in any order, then a refusal or calls."""
    said: list[Event] = draw(
        st.lists(st.builds(TextDelta, TEXT) | st.builds(ReasoningDelta, TEXT), max_size=5)
    )
    called = draw(st.lists(ARGUMENTS, max_size=3))
    for index, given_ in enumerate(called):
        text = orjson.dumps(given_).decode()
        middle = draw(st.integers(0, len(text)))
        said.append(ToolCallDelta(index, f"call_{index}", f"f{index}"))
        said += [
            ToolCallDelta(index, arguments=piece)
            for piece in (text[:middle], text[middle:])
            if piece
        ]
    refusal = draw(st.none() | TEXT) if not called else None
    if refusal is not None:
        said.append(RefusalDelta(refusal))
    usual: FinishReason = "tool_calls" if called else "stop"
    reasons: list[FinishReason] = [usual] if refusal else [usual, "length", "content_filter"]
    cached, reasoning = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    usage = Usage(
        cached + draw(st.integers(0, 9)), reasoning + draw(st.integers(0, 9)), cached, reasoning
    )
    return [Started("work", "m"), *said, Finish(draw(st.sampled_from(reasons))), usage]


def meant(events: list[Event]) -> Answer:
    """What they say."""
    completion = whole(events)
    choice, usage = completion.choice(), completion.usage
    assert usage is not None
    tokens = [token for one in choice.logprobs.values() for token in one]
    said = Choice(
        choice.text,
        choice.reasoning,
        choice.refusal,
        tuple(call(one.name, one.arguments) for one in choice.tool_calls),
        tuple((token["token"], token["logprob"]) for token in tokens if isinstance(token, dict)),
        choice.finish or "",
    )
    return Answer((said,), Tokens(usage.input, usage.output, usage.cached, usage.reasoning))


def written(dialect: str, events: list[Event], *, stream: bool) -> bytes:
    """The answer as a client gets it."""
    face, reader = FACES[dialect]
    request = face.decode_request(orjson.dumps(reader.asked(ASK, "m", stream=stream)))
    if not stream:
        return face.encode_completion(request, whole(events))
    encoder = face.encoder(request)
    return b"".join([*map(encoder.feed, events), encoder.finish()])


def read(dialect: str, data: bytes, *, stream: bool) -> Answer:
    """What a client makes of it."""
    reader = FACES[dialect][1]
    return reader.streamed(data, ASK) if stream else reader.whole(data, "work")


def told(dialect: str, said: Answer) -> Answer:
    """What of an answer a dialect has words for."""
    expected = FACES[dialect][1].told(said, ASK, stream=True)
    if dialect != "messages":
        return expected
    return Answer(tuple(attrs.evolve(one, logprobs=()) for one in expected.choices), expected.usage)


@pytest.mark.parametrize("dialect", FACES)
@given(events=answers(), tokens=st.lists(TOKEN, max_size=2), stream=st.booleans())
def test_a_client_reads_what_was_said(
    dialect: str, events: list[Event], tokens: list[Any], *, stream: bool
) -> None:
    if tokens:
        events.insert(1, Logprobs({"content": tokens, "refusal": None}))
    data = written(dialect, events, stream=stream)
    assert read(dialect, data, stream=stream) == told(dialect, meant(events))


@pytest.mark.parametrize("dialect", FACES)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@given(
    events=answers(),
    places=st.lists(st.integers(0, 2**16)),
    came_streamed=st.booleans(),
    stream=st.booleans(),
)
def test_what_an_upstream_said_is_said_again(
    upstream: str,
    dialect: str,
    events: list[Event],
    places: list[int],
    *,
    came_streamed: bool,
    stream: bool,
) -> None:
    data = written(upstream, events, stream=came_streamed)
    came = list(decoded(upstream, cut(data, places), stream=came_streamed))
    expected = told(upstream, meant(events))
    assert meant(came) == expected
    again = written(dialect, [Started("work", "m"), *came], stream=stream)
    assert read(dialect, again, stream=stream) == told(dialect, expected)


def decoded(upstream: str, pieces: list[bytes], *, stream: bool) -> Iterator[Event]:
    """The events of an answer that an upstream gave to a client of another dialect."""
    dialect = FACES[upstream][0]
    other = "messages" if upstream == "chat" else "chat"
    face, reader = FACES[other]
    request = face.decode_request(orjson.dumps(reader.asked(ASK, "m", stream=stream)))
    decoder = dialect.decoder(request, "up")
    yield from fed(decoder, pieces) if stream else decoder.body(b"".join(pieces))
