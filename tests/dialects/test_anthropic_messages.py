"""Anthropic's dialect as a whole: both sides of it, and passing through between them."""

from __future__ import annotations

import attrs
import orjson
import pytest

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import OverloadedError, RateLimitError, UpstreamError
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.dialects.anthropic_decoder import EventDecoder
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES, AnthropicMessages
from g4f_aio.dialects.anthropic_relay import Relay
from g4f_aio.dialects.anthropic_request import Habits
from g4f_aio.dialects.base import Dialect
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.sse import split

from ..golden.samples import samples

BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
REQUEST = ANTHROPIC_MESSAGES.decode_request(orjson.dumps(BODY))
CHAT = OPENAI_CHAT.decode_request(orjson.dumps(BODY))


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
        "request_id": None,
    }
    assert ANTHROPIC_MESSAGES.status(RateLimitError("Slow down")) == 429
    assert ANTHROPIC_MESSAGES.status(OverloadedError("Busy")) == 529


def test_an_error_that_quotes_half_a_character_is_json_all_the_same() -> None:
    assert orjson.loads(ANTHROPIC_MESSAGES.encode_error(UpstreamError("\ufffd")))
    assert b"\\ud83d" in ANTHROPIC_MESSAGES.encode_error(UpstreamError("\ud83d"))


def test_a_stream_that_has_nothing_to_say_pings() -> None:
    assert ANTHROPIC_MESSAGES.keep_alive == b'event: ping\ndata: {"type":"ping"}\n\n'


def test_a_prompt_goes_on_to_be_counted() -> None:
    prompt = {key: value for key, value in BODY.items() if key != "max_tokens"}
    request = ANTHROPIC_MESSAGES.decode_prompt(orjson.dumps(prompt | {"new": 1}))
    assert ANTHROPIC_MESSAGES.encode_prompt(request, "n") == prompt | {"model": "n", "new": 1}


THINKING = b"""\
{"type": "message", "stop_reason": "tool_use", "content": [
{"type": "thinking", "thinking": "Hm", "signature": "s"},
{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]}"""


def test_thoughts_before_calls_are_kept_for_clients_that_do_not_send_them_back() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    for asked, known in ((CHAT, (thought,)), (REQUEST, ())):
        dialect = AnthropicMessages()
        list(dialect.decoder(attrs.evolve(asked, accept=None), "up").body(THINKING))
        assert dialect.thoughts.before("toolu_1") == known


@pytest.mark.parametrize("name", ["pause", "stop-sequence"])
def test_an_edited_request_is_told_in_full_how_its_answer_ended(name: str) -> None:
    (sample,) = (one for one in samples(ANTHROPIC_MESSAGES.name) if one.name == name)
    asked = attrs.evolve(REQUEST, accept=None)
    encoder = ANTHROPIC_MESSAGES.encoder(asked)
    decoder = ANTHROPIC_MESSAGES.decoder(asked, "up")
    written = b"".join(map(encoder.feed, decoder.feed(sample.stream))) + encoder.finish()

    def ending(stream: bytes) -> object:
        found = (orjson.loads(data) for _, data in split(stream) if data)
        return next(one["delta"] for one in found if one["type"] == "message_delta")

    assert ending(written) == ending(sample.stream)
