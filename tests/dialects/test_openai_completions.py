"""OpenAI's completions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.operations import CompletionRequest
from g4f_aio.core.requests import Sampling
from g4f_aio.dialects.openai_completions import OPENAI_COMPLETIONS, decoder, encode_request
from g4f_aio.dialects.openai_completions_encoder import StreamEncoder
from g4f_aio.dialects.openai_completions_relay import Reader, Relay


def asked(**fields: Any) -> CompletionRequest:
    body = {"model": "m", "prompt": "a"} | fields
    return OPENAI_COMPLETIONS.decode_request(orjson.dumps(body))


def test_a_request() -> None:
    request = asked(
        prompt=["a", "b"],
        stream=True,
        stream_options={"include_usage": True},
        suffix="s",
        echo=True,
        best_of=3,
        n=2,
        logprobs=0,
        stop="x",
        max_tokens=4,
        temperature=0.5,
        top_p=1,
        presence_penalty=0.25,
        frequency_penalty=0,
        seed=7,
        provider="p",
    )
    assert request.prompts == ("a", "b")
    assert request.sampling == Sampling(0.5, 1, 4, ("x",), 7, 0.25, 0)
    assert (request.n, request.best_of, request.logprobs, request.suffix) == (2, 3, 0, "s")
    assert (request.stream, request.echo, request.include_usage) == (True, True, True)
    assert request.routing.provider == "p"
    assert "provider" not in request.raw


def test_a_short_one() -> None:
    request = asked(prompt=[1, 2], stop=["x", "y"])
    assert request.prompts == ([1, 2],)
    assert request.sampling.stop == ("x", "y")
    assert (request.n, request.stream, request.include_usage) == (1, False, None)
    assert encode_request(request, ask_usage=True) == request.raw


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"n": 0}, "n"),
        ({"best_of": 0}, "best_of"),
        ({"logprobs": -1}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"stop": [1]}, "stop[0]"),
        ({"stream_options": []}, "stream_options"),
    ],
)
def test_a_wrong_one_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        asked(**fields)
    assert caught.value.param == param


def test_a_stream_is_asked_for_its_usage() -> None:
    wish = {"include_usage": True}
    assert encode_request(asked(stream=True), ask_usage=True)["stream_options"] == wish
    assert "stream_options" not in encode_request(asked(stream=True), ask_usage=False)
    own = asked(stream=True, stream_options={"include_usage": False})
    assert encode_request(own, ask_usage=True)["stream_options"] == {"include_usage": False}
    other = asked(stream=True, stream_options={"x": 1})
    assert encode_request(other, ask_usage=True)["stream_options"] == {"x": 1} | wish


def test_its_two_halves() -> None:
    assert isinstance(OPENAI_COMPLETIONS.encoder(asked()), StreamEncoder)
    assert isinstance(decoder(asked(), "p", streams=False), Relay)
    assert isinstance(decoder(asked(stream=True), "p", streams=False), Relay)
    assert isinstance(decoder(asked(stream=True), "p", streams=True), Relay)
    assert isinstance(decoder(asked(), "p", streams=True), Reader)
