"""The dialect of chat completions put together: each of its parts does its job."""

from __future__ import annotations

import attrs
import orjson
import pytest

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import BadRequestError, GatewayError, RateLimitError, UnsupportedError
from g4f_aio.core.events import Finish, Passthrough, TextDelta
from g4f_aio.dialects.openai_chat import OPENAI_CHAT, OpenAIChat

from .wire import DONE, chunk, frame, request


def test_its_name() -> None:
    assert OPENAI_CHAT.name == "openai-chat"


def test_a_request_comes_in_and_goes_out() -> None:
    asked = OPENAI_CHAT.decode_request(
        b'{"model": "a", "stream": true, "messages": [{"role": "user"}]}'
    )
    assert OPENAI_CHAT.encode_request(asked, "b") == {
        "model": "b",
        "stream": True,
        "messages": [{"role": "user"}],
        "stream_options": {"include_usage": True},
    }
    assert "stream_options" not in OpenAIChat(ask_usage=False).encode_request(asked, "b")


def test_a_wrong_request_is_refused() -> None:
    with pytest.raises(BadRequestError) as caught:
        OPENAI_CHAT.decode_request(b'{"messages": [], "stream": "no"}')
    assert caught.value.param == "stream"


def test_who_accepts_the_dialect_gets_the_upstreams_bytes() -> None:
    data = frame(chunk({"content": "a"}))
    assert list(OPENAI_CHAT.decoder(request(), "up").feed(data)) == [Passthrough(data)]


@pytest.mark.parametrize("accept", [None, "anthropic-messages"])
def test_who_does_not_accept_it_gets_events(accept: str | None) -> None:
    decoder = OPENAI_CHAT.decoder(attrs.evolve(request(), accept=accept), "up")
    assert list(decoder.feed(frame(chunk({"content": "a"}, finish="stop")))) == [
        TextDelta("a"),
        Finish("stop"),
    ]


def test_events_go_out_as_a_stream_or_as_a_body() -> None:
    encoder = OPENAI_CHAT.encoder(request())
    assert b'"content":"a"' in encoder.feed(TextDelta("a"))
    assert encoder.finish() == DONE
    completion = Completion()
    completion.add(TextDelta("a"))
    body = orjson.loads(OPENAI_CHAT.encode_completion(request(), completion))
    assert body["object"] == "chat.completion"


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (
            RateLimitError("slow\ndown \ud83d", param="n"),
            b'"slow\\ndown \\ud83d","type":"rate_limit_error","param":"n","code":"rate_limit_exceeded"',
        ),
        (GatewayError("bug"), b'"bug","type":"server_error","param":null,"code":"internal_error"'),
    ],
)
def test_an_error_is_written_with_all_its_fields(error: GatewayError, fields: bytes) -> None:
    assert OPENAI_CHAT.encode_error(error) == b'{"error":{"message":' + fields + b"}}"


def test_an_error_has_its_own_status_and_a_silent_stream_a_comment() -> None:
    assert OPENAI_CHAT.status(RateLimitError("slow")) == 429
    assert OPENAI_CHAT.keep_alive == b": keep-alive\n\n"


def test_an_answer_in_audio_is_handed_on_or_not_asked_for() -> None:
    asked = OPENAI_CHAT.decode_request(
        b'{"messages": [{"role": "user"}], "modalities": ["text", "audio"]}'
    )
    assert OPENAI_CHAT.encode_request(asked, "m")["modalities"] == ["text", "audio"]
    with pytest.raises(UnsupportedError, match=r"^\$\.modalities: ") as caught:
        OPENAI_CHAT.encode_request(attrs.evolve(asked, accept=None), "m")
    assert caught.value.param == "modalities"
