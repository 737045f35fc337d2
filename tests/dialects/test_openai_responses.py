"""The Responses API as a dialect."""

from __future__ import annotations

import orjson

from g4f_aio.core.errors import BadRequestError, UpstreamTimeoutError
from g4f_aio.core.events import Event, Finish, Passthrough, Started, TextDelta
from g4f_aio.dialects.base import Dialect
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES, Answering, OpenAIResponses
from g4f_aio.dialects.openai_responses_relay import Relay

from .responses_wire import asked, checked
from .wire import whole


def test_it_is_a_dialect() -> None:
    dialect: Dialect = OPENAI_RESPONSES
    assert dialect.name == "openai-responses"
    assert dialect.keep_alive.startswith(b":")
    assert dialect.status(UpstreamTimeoutError("x")) == 504
    assert OpenAIResponses() == OPENAI_RESPONSES


def test_requests_go_both_ways() -> None:
    request = OPENAI_RESPONSES.decode_request(b'{"model": "a", "input": "Hi"}')
    assert request.dialect == request.accept == OPENAI_RESPONSES.name
    assert OPENAI_RESPONSES.encode_request(request, "b") == {"model": "b", "input": "Hi"}
    assert isinstance(OPENAI_RESPONSES.decoder(request, "up"), Relay)


def test_an_error_has_openai_s_shape() -> None:
    error = BadRequestError("$.input: no", param="input")
    assert orjson.loads(OPENAI_RESPONSES.encode_error(error)) == {
        "error": {
            "message": "$.input: no",
            "type": "invalid_request_error",
            "param": "input",
            "code": None,
        }
    }


def test_a_stream_and_a_body_tell_the_same() -> None:
    told: list[Event] = [Started("up", "gpt"), TextDelta("Hi"), Finish()]
    encoder = OPENAI_RESPONSES.encoder(asked())
    streamed = checked(b"".join([*map(encoder.feed, told), encoder.finish()]))
    body = orjson.loads(OPENAI_RESPONSES.encode_completion(asked(), whole(told)))
    for response in (streamed, body):
        response["output"][0]["id"] = response["id"] = ""
        response["created_at"] = response["completed_at"] = 0
    assert streamed == body


def test_one_answer_has_one_encoder() -> None:
    answering = Answering.of(asked(), "resp_0")
    assert answering.encoder(asked()) is answering.encoder(asked()) is answering.written
    for event in (Started("up", "gpt"), TextDelta("Hi"), Finish()):
        answering.written.feed(event)
    response = answering.written.response()
    assert response is not None
    assert response["output"][0]["content"][0]["text"] == "Hi"
    assert orjson.loads(answering.written.finish().split(b"data: ")[-1])["response"] == response
    assert answering.written.provider == "up"


def test_a_whole_answer_of_an_upstream_passes() -> None:
    answering = Answering.of(asked(stream=False), "resp_0")
    data = b'{"id": "resp_1", "previous_response_id": null}'
    completion = whole([Started("up", "gpt"), Passthrough(data, last=True)])
    body = answering.encode_completion(asked(), completion)
    assert orjson.loads(body) == {"id": "resp_1", "previous_response_id": "resp_0"}
    assert answering.written.response() == orjson.loads(body)
    assert (answering.written.native, answering.written.provider) == (True, "up")
    assert OPENAI_RESPONSES.encode_completion(asked(stream=False), completion) == data
