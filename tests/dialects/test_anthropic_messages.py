"""Anthropic's dialect as a whole: both sides of it, and passing through between them."""

from __future__ import annotations

import attrs
import orjson

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import RateLimitError
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.dialects.anthropic_decoder import EventDecoder
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES, AnthropicMessages
from g4f_aio.dialects.anthropic_relay import Relay
from g4f_aio.dialects.anthropic_request import Habits
from g4f_aio.dialects.base import Dialect

BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
REQUEST = ANTHROPIC_MESSAGES.decode_request(orjson.dumps(BODY))


def test_it_is_a_dialect() -> None:
    dialect: Dialect = ANTHROPIC_MESSAGES
    assert dialect.name == "anthropic-messages"


def test_a_request_names_it_and_takes_its_answers() -> None:
    assert (REQUEST.dialect, REQUEST.accept) == ("anthropic-messages", "anthropic-messages")


def test_an_answer_passes_through_where_the_client_takes_it() -> None:
    assert isinstance(ANTHROPIC_MESSAGES.decoder(REQUEST, "up"), Relay)
    other = attrs.evolve(REQUEST, accept="openai-chat")
    assert isinstance(ANTHROPIC_MESSAGES.decoder(other, "up"), EventDecoder)
    assert isinstance(
        ANTHROPIC_MESSAGES.decoder(attrs.evolve(REQUEST, accept=None), "up"), EventDecoder
    )


def test_a_request_goes_on() -> None:
    assert ANTHROPIC_MESSAGES.encode_request(REQUEST, "m") == BODY
    edited = attrs.evolve(
        REQUEST, raw=None, sampling=attrs.evolve(REQUEST.sampling, max_tokens=None)
    )
    brief = AnthropicMessages(Habits(max_tokens=5))
    assert brief.encode_request(edited, "claude") == BODY | {"model": "claude", "max_tokens": 5}


def test_an_answer_streamed() -> None:
    encoder = ANTHROPIC_MESSAGES.encoder(REQUEST)
    assert encoder.feed(TextDelta("a")).startswith(b"event: message_start\n")
    assert encoder.finish().endswith(b'data: {"type":"message_stop"}\n\n')


def test_an_answer_in_one_body() -> None:
    completion = Completion()
    completion.add(TextDelta("a"))
    completion.add(Finish())
    found = orjson.loads(ANTHROPIC_MESSAGES.encode_completion(REQUEST, completion))
    assert (found["type"], found["stop_reason"]) == ("message", "end_turn")


def test_an_error() -> None:
    assert orjson.loads(ANTHROPIC_MESSAGES.encode_error(RateLimitError("Slow down"))) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Slow down"},
    }
