"""Events into text completions."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types import Completion as SDKCompletion

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    Logprobs,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Started,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.operations import CompletionRequest
from g4f_aio.dialects.openai_completions_encoder import (
    StreamEncoder,
    encode_completion,
    legacy_logprobs,
)

SILENT = (ReasoningDelta("x"), ToolCallDelta(0), Citations((Citation("u"),)), Preview("p"))
TOKENS: dict[str, Any] = {
    "content": [
        {"token": "He", "logprob": -0.5, "top_logprobs": [{"token": "Ho", "logprob": -1}]},
        {"token": "y", "logprob": -0.25},
        "junk",
    ]
}


def asked(**fields: Any) -> CompletionRequest:
    given: dict[str, Any] = {"model": "m", "prompts": ("abcd",)}
    return CompletionRequest(**(given | fields))


def stream(request: CompletionRequest, *events: Event) -> list[Any]:
    """The data of the events of a stream, which must have its end."""
    encoder = StreamEncoder(request)
    data = b"".join(map(encoder.feed, events)) + encoder.finish()
    *lines, last, rest = data.split(b"\n\n")
    assert (last, rest) == (b"data: [DONE]", b"")
    return [orjson.loads(line.removeprefix(b"data: ")) for line in lines]


def test_a_stream() -> None:
    chunks = stream(
        asked(),
        Started("p", "m-1"),
        *SILENT,
        TextDelta("a"),
        RefusalDelta("no", 1),
        Finish("length"),
        Finish("stop"),
        Finish("tool_calls", 1),
    )
    assert [chunk["choices"] for chunk in chunks] == [
        [{"text": "a", "index": 0, "logprobs": None, "finish_reason": None}],
        [{"text": "no", "index": 1, "logprobs": None, "finish_reason": None}],
        [{"text": "", "index": 0, "logprobs": None, "finish_reason": "length"}],
        [{"text": "", "index": 1, "logprobs": None, "finish_reason": "stop"}],
    ]
    heads = [{key: chunk[key] for key in ("id", "object", "created", "model")} for chunk in chunks]
    assert all(head == heads[0] for head in heads)
    assert heads[0]["id"].startswith("cmpl-")
    assert (heads[0]["object"], heads[0]["model"]) == ("text_completion", "m-1")
    assert all("usage" not in chunk for chunk in chunks)


def test_a_stream_with_its_usage() -> None:
    wish = asked(include_usage=True)
    *chunks, last = stream(wish, TextDelta("a"), Finish(), Usage(3, 4))
    assert [chunk["usage"] for chunk in chunks] == [None, None]
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    *_, last = stream(wish, TextDelta("abcd"), Finish())
    assert last["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
        "estimated": True,
    }


def test_media_and_status() -> None:
    (chunk,) = stream(asked(), Media("image", "u", alt="cat"))
    assert chunk["choices"][0]["text"] == "\n![cat](u)\n"
    assert StreamEncoder(asked()).feed(Media("audio", "u")).count(b"![") == 0
    assert StreamEncoder(asked()).feed(Status("busy")) == b": busy\n\n"


def test_what_is_relayed_stays_as_it_is() -> None:
    encoder = StreamEncoder(asked(include_usage=True))
    assert encoder.feed(Passthrough(b"x")) == b"x"
    assert encoder.feed(Passthrough(b"y", last=True)) == b"y"
    assert encoder.finish() == b""


def test_an_error_is_the_last_event() -> None:
    data = StreamEncoder(asked()).error(UpstreamError("It broke"))
    error = orjson.loads(data.removeprefix(b"data: "))["error"]
    assert set(error) == {"message", "type", "param", "code"}


def test_log_probabilities_are_counted_on() -> None:
    chunks = stream(asked(), Logprobs(TOKENS), Logprobs(TOKENS), Logprobs(TOKENS, 1))
    found = [chunk["choices"][0]["logprobs"] for chunk in chunks]
    assert [one["text_offset"] for one in found] == [[0, 2], [3, 5], [0, 2]]
    assert found[0]["tokens"] == ["He", "y"]
    assert found[0]["token_logprobs"] == [-0.5, -0.25]
    assert found[0]["top_logprobs"] == [{"Ho": -1}, {}]


def test_log_probabilities_of_this_kind_stay() -> None:
    data = {"tokens": ["a"], "text_offset": [0]}
    assert legacy_logprobs(data, 5) is data
    assert legacy_logprobs({"content": None}, 0)["tokens"] == []


def whole(request: CompletionRequest, *events: Event) -> Any:
    completion = Completion()
    for event in events:
        completion.add(event)
    return orjson.loads(encode_completion(request, completion))


@pytest.mark.parametrize("usage", [(), (Usage(3, 4),)])
def test_a_whole_answer(usage: tuple[Usage, ...]) -> None:
    said = (TextDelta("bc", 1), Finish("length", 1), TextDelta("a"), Logprobs(TOKENS), Finish())
    found = whole(asked(), Started("p", "m-1"), *said, *usage)
    SDKCompletion.model_validate(found, strict=True)
    assert (found["provider"], found["model"]) == ("p", "m-1")
    texts = [(one["index"], one["text"], one["finish_reason"]) for one in found["choices"]]
    assert texts == [(0, "a", "stop"), (1, "bc", "length")]
    assert found["choices"][0]["logprobs"]["tokens"] == ["He", "y"]
    assert found["usage"]["prompt_tokens"] == (3 if usage else 1)


def test_a_whole_answer_that_is_handed_on() -> None:
    assert whole(asked(), Passthrough(b'{"x":1}', last=True)) == {"x": 1}
