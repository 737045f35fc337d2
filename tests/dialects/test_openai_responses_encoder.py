"""Events as a response's stream and body: of the shape that OpenAI's SDK has, with everything in it."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response

from g4f_aio.core.errors import (
    BadRequestError,
    GatewayError,
    OverloadedError,
    RateLimitError,
    UpstreamError,
)
from g4f_aio.core.events import (
    Citation,
    Citations,
    ConversationState,
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
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
    Usage,
)
from g4f_aio.core.messages import Thought
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.dialects.openai_responses_encoder import StreamEncoder
from g4f_aio.dialects.openai_responses_seals import opened

from ..golden.samples import Sample, samples
from .responses_wire import asked, checked, kinds, read, written
from .wire import fed, whole

Json = dict[str, Any]

SAMPLES = samples("openai-responses-from-chat")
SUMMARY: Json = {"reasoning": {"summary": "auto"}}
PATCH: Json = {"type": "custom", "name": "patch"}


def function(name: str) -> Json:
    return {"type": "function", "name": name, "parameters": {"type": "object"}}


def texts(response: Json, kind: str = "message") -> str:
    parts = [
        part for item in response["output"] if item["type"] == kind for part in item["content"]
    ]
    return "".join(part.get("text", part.get("refusal", "")) for part in parts)


# the order of events


def test_a_text_is_a_message_with_one_part() -> None:
    stream = written([Started("up", "gpt"), TextDelta("Hel"), TextDelta("lo"), Usage(3, 2, 1)])
    assert kinds(stream) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = checked(stream)
    assert response["status"] == "completed"
    assert (response["model"], response["provider"]) == ("gpt", "up")
    assert texts(response) == "Hello"
    assert response["completed_at"] >= response["created_at"] > 1_700_000_000
    assert response["usage"] == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 5,
    }


def test_thoughts_are_told_as_they_are_unless_a_summary_is_asked_for() -> None:
    told: list[Event] = [ReasoningDelta("Let me "), ReasoningDelta("think."), TextDelta("4")]
    plain = written(told)
    assert kinds(plain)[2:8] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
    ]
    thought, message = checked(plain)["output"]
    assert thought["type"] == "reasoning"
    assert thought["content"] == [{"type": "reasoning_text", "text": "Let me think."}]
    assert thought["summary"] == []
    assert message["type"] == "message"
    summed = written(told, asked(**SUMMARY))
    assert kinds(summed)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]
    thought = checked(summed)["output"][0]
    assert thought["summary"] == [{"type": "summary_text", "text": "Let me think."}]
    assert "content" not in thought
    older = asked(reasoning={"generate_summary": "auto"})
    assert checked(written(told, older))["output"][0]["summary"]


def test_thoughts_without_a_text_are_their_seals() -> None:
    told: list[Event] = [Started("work", "m"), ReasoningDelta("", signature="s"), TextDelta("4")]
    thought, said = checked(written(told))["output"]
    assert (thought["type"], thought["content"], said["type"]) == ("reasoning", [], "message")
    assert opened(thought["encrypted_content"]) == (Thought("", "s", by="work"),)
    stream = written([ReasoningDelta(""), TextDelta("4")])
    assert [item["type"] for item in checked(stream)["output"]] == ["message"]


def test_seals_are_in_a_whole_answer_too() -> None:
    pieces = (ReasoningDelta("a"), ReasoningDelta("b", signature="s"), ReasoningDelta("c"))
    completion = whole([Started("work", "m"), *pieces, TextDelta("4"), Finish()])
    body = orjson.loads(OPENAI_RESPONSES.encode_completion(asked(), completion))
    thought = body["output"][0]
    assert thought["content"] == [{"type": "reasoning_text", "text": "abc"}]
    assert opened(thought["encrypted_content"]) == (Thought("ab", "s", by="work"),)


def test_calls_are_items_beside_each_other() -> None:
    told: list[Event] = [
        TextDelta("I look."),
        ToolCallDelta(0, "call_a", "weather", '{"ci'),
        ToolCallDelta(1, "call_b", "time"),
        ToolCallDelta(0, arguments='ty":1}'),
        ToolCallDelta(1, arguments="{}"),
        Finish("tool_calls"),
    ]
    stream = written(told, asked(tools=[function("weather"), function("time")]))
    response = checked(stream)
    assert response["status"] == "completed"
    message, first, second = response["output"]
    assert message["status"] == "completed"
    assert kinds(stream).count("function_call_arguments.delta") == 3
    assert {key: first[key] for key in ("type", "call_id", "name", "arguments", "status")} == {
        "type": "function_call",
        "call_id": "call_a",
        "name": "weather",
        "arguments": '{"city":1}',
        "status": "completed",
    }
    assert (second["call_id"], second["arguments"]) == ("call_b", "{}")


def test_calls_without_ids_or_with_the_same_get_their_own() -> None:
    told: list[Event] = [
        ToolCallDelta(0, None, "a", "{}"),
        ToolCallDelta(1, "same", "a"),
        ToolCallDelta(2, "same", "a"),
    ]
    ids = [item["call_id"] for item in checked(written(told))["output"]]
    assert len(set(ids)) == 3
    assert ids[1] == "same"
    assert all(ids)


def test_what_is_said_after_a_call_is_a_message_of_its_own() -> None:
    told: list[Event] = [
        TextDelta("a"),
        ToolCallDelta(0, "c", "f", "{"),
        TextDelta("b"),
        ToolCallDelta(0, arguments="}"),
    ]
    output = checked(written(told))["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "message"]
    assert output[1]["arguments"] == "{}"


def test_a_tool_for_text_is_called_with_text() -> None:
    told: list[Event] = [
        ToolCallDelta(0, "c", "patch", '{"input": "*** Be'),
        ToolCallDelta(0, arguments='gin\\n"}'),
    ]
    stream = written(told, asked(tools=[PATCH]))
    (call,) = checked(stream)["output"]
    assert (call["type"], call["name"], call["input"]) == (
        "custom_tool_call",
        "patch",
        "*** Begin\n",
    )
    assert call["id"].startswith("ctc_")
    assert kinds(stream).count("custom_tool_call_input.delta") == 1


def test_an_upstream_that_knows_such_tools_itself_says_the_text_piece_by_piece() -> None:
    told: list[Event] = [
        ToolCallDelta(0, "c", "patch", "*** Be", type="custom"),
        ToolCallDelta(0, arguments="gin", type="custom"),
    ]
    for tools in ([PATCH], []):
        stream = written(told, asked(tools=tools))
        (call,) = checked(stream)["output"]
        assert (call["type"], call["input"]) == ("custom_tool_call", "*** Begin")
        assert kinds(stream).count("custom_tool_call_input.delta") == 2


def test_a_tool_in_a_namespace_is_called_by_it() -> None:
    space = {
        "type": "namespace",
        "name": "fs",
        "description": "",
        "tools": [function("read"), function("list")],
    }
    request = asked(tools=[function("read"), space])
    told: list[Event] = [
        ToolCallDelta(0, "a", "read", "{}"),
        ToolCallDelta(1, "b", "fs__read", "{}"),
        ToolCallDelta(2, "c", "list", "{}"),
        ToolCallDelta(3, "d", "unknown", "{}"),
    ]
    output = checked(written(told, request))["output"]
    assert [(item["name"], item.get("namespace")) for item in output] == [
        ("read", None),
        ("read", "fs"),
        ("list", "fs"),
        ("unknown", None),
    ]


def test_a_response_that_is_asked_for_before_it_is_told_is_the_same() -> None:
    encoder = StreamEncoder(asked())
    encoder.feed(Finish("content_filter"))
    kept = encoder.response()
    assert checked(encoder.finish()) == kept


def test_a_refusal_is_a_part_of_its_own() -> None:
    stream = written(
        [TextDelta("Well, "), RefusalDelta("I can"), RefusalDelta("not."), TextDelta("!")]
    )
    (message,) = checked(stream)["output"]
    assert [part["type"] for part in message["content"]] == [
        "output_text",
        "refusal",
        "output_text",
    ]
    assert message["content"][1]["refusal"] == "I cannot."
    assert kinds(stream).count("refusal.delta") == 2
    assert kinds(stream).count("refusal.done") == 1


def test_sources_images_and_notices() -> None:
    told: list[Event] = [
        Status("searching"),
        Citations((Citation("https://a.example", "A"), Citation("https://b.example"))),
        TextDelta("Found"),
        Media("image", "https://x.example/1.png", alt="One"),
        Media("audio", "https://x.example/1.mp3"),
        Preview("p"),
        Title("t"),
        Suggestions(("s",)),
        ConversationState({}),
    ]
    stream = written(told)
    assert stream.startswith(b": searching\n\n")
    (message,) = checked(stream)["output"]
    (part,) = message["content"]
    assert [note["url"] for note in part["annotations"]] == [
        "https://a.example",
        "https://b.example",
    ]
    added = [e for e in read(stream) if e["type"].endswith("annotation.added")]
    assert [event["annotation_index"] for event in added] == [0, 1]
    assert part["text"].split() == [
        "Found",
        "![One](https://x.example/1.png)",
        "[](https://x.example/1.mp3)",
    ]


def test_log_probabilities_come_with_the_text() -> None:
    token = {
        "token": "é",
        "logprob": -0.5,
        "bytes": None,
        "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}],
    }
    odd: Json = {"content": [{"token": "x"}, "junk"]}
    none: Json = {"content": None}
    stream = written(
        [TextDelta("é"), Logprobs({"content": [token]}), Logprobs(odd), Logprobs(none)]
    )
    (message,) = checked(stream)["output"]
    first, second = message["content"][0]["logprobs"]
    assert first == {
        "token": "é",
        "logprob": -0.5,
        "bytes": [195, 169],
        "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}],
    }
    assert second == {"token": "x", "logprob": 0.0, "bytes": [120], "top_logprobs": []}
    deltas = [e for e in read(stream) if e["type"] == "response.output_text.delta"]
    assert [len(event["logprobs"]) for event in deltas] == [0, 1, 1, 0]


# how it ends


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("function_call", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_the_finish_says_how_it_ended(reason: Any, status: str, details: Any) -> None:
    told: list[Event] = [ReasoningDelta("x"), TextDelta("Hel"), Finish(reason), Finish("stop")]
    stream = written(told)
    response = checked(stream)
    assert read(stream)[-1]["type"] == f"response.{status}"
    assert (response["status"], response["incomplete_details"]) == (status, details)
    assert (response["completed_at"] is None) is (status == "incomplete")
    assert [item["status"] for item in response["output"]] == ["completed", status]


def test_an_answer_without_anything_is_a_response_without_items() -> None:
    assert checked(written([]))["output"] == []


def test_usage_is_estimated_where_nobody_reports_it() -> None:
    told: list[Event] = [
        TextDelta("a" * 40),
        ToolCallDelta(0, "c", "f", "b" * 40),
        ReasoningDelta("c" * 40),
    ]
    usage = checked(written(told))["usage"]
    assert usage["estimated"] is True
    assert usage["output_tokens"] == 23
    assert usage["input_tokens"] > 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamError("It broke"), "server_error"),
        (OverloadedError("It broke", code="server_shutdown"), "server_error"),
        (RateLimitError("It broke"), "rate_limit_exceeded"),
        (BadRequestError("It broke"), "invalid_prompt"),
    ],
)
def test_a_failure_is_told_by_the_response(error: GatewayError, code: str) -> None:
    encoder = StreamEncoder(asked())
    told: list[Event] = [ReasoningDelta("x"), TextDelta("Hel"), ToolCallDelta(0, "c", "f", "{")]
    stream = b"".join(map(encoder.feed, told)) + encoder.error(error)
    response = checked(stream)
    assert read(stream)[-1]["type"] == "response.failed"
    assert response["error"] == {"code": code, "message": "It broke"}
    assert (response["status"], response["usage"]) == ("failed", None)
    assert [item["status"] for item in response["output"]] == [
        "completed",
        "completed",
        "incomplete",
    ]


def test_a_failure_before_anything_was_said_is_a_response_too() -> None:
    stream = StreamEncoder(asked()).error(UpstreamError("It broke"))
    assert kinds(stream) == ["created", "in_progress", "failed"]
    assert checked(stream)["output"] == []


def test_agents_that_compact_are_told_that_a_request_was_too_long() -> None:
    error = BadRequestError("Too long", code="context_length_exceeded")
    last = StreamEncoder(asked()).error(error).split(b"data: ")[-1]
    assert orjson.loads(last)["response"]["error"]["code"] == "context_length_exceeded"


# what the response repeats of its request


def test_the_response_repeats_the_request() -> None:
    format_ = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    fields: Json = {
        "instructions": "Be brief.",
        "max_output_tokens": 9,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low"},
        "service_tier": "flex",
        "store": False,
        "temperature": 0.5,
        "text": {"format": format_, "verbosity": None},
        "tool_choice": "required",
        "tools": [{"type": "function", "name": "f"}, PATCH],
        "top_p": 0.25,
        "truncation": "auto",
        "user": "u",
    }
    response = checked(written([], asked(**fields)))
    for name, value in fields.items():
        if name not in ("tools", "text", "reasoning"):
            assert response[name] == value
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"] == {"format": format_}
    usual = {"description": None, "parameters": None, "strict": None}
    assert response["tools"] == [{**usual, "type": "function", "name": "f"}, PATCH]


def test_what_the_request_leaves_out_is_as_usual() -> None:
    response = checked(written([]))
    assert response["text"] == {"format": {"type": "text"}}
    assert (response["tool_choice"], response["tools"]) == ("auto", [])
    assert (response["temperature"], response["top_p"], response["store"]) == (1.0, 1.0, True)


def test_the_response_it_goes_on_from_is_named() -> None:
    assert checked(written([], asked(previous_response_id="resp_1")))["previous_response_id"] == (
        "resp_1"
    )
    encoder = StreamEncoder(asked(), "resp_2")
    assert checked(encoder.feed(Finish()) + encoder.finish())["previous_response_id"] == "resp_2"


# what an upstream wrote itself


def passed(*told: Json, last: bool = False) -> Passthrough:
    frames = b"".join(b"data: " + orjson.dumps(one) + b"\n\n" for one in told)
    return Passthrough(frames, last=last)


def test_a_relayed_stream_is_left_alone() -> None:
    encoder, other = StreamEncoder(asked()), StreamEncoder(asked())
    event = passed({"type": "response.completed", "response": {"id": "resp_9"}}, last=True)
    assert encoder.feed(event) == event.data
    assert encoder.native is not other.native
    assert encoder.finish() == b""
    assert encoder.response() == {"id": "resp_9"}


def test_a_relayed_stream_that_breaks_off_goes_on_in_its_own_numbers() -> None:
    encoder = StreamEncoder(asked())
    began = {"id": "resp_9", "object": "response", "status": "in_progress", "model": "gpt"}
    encoder.feed(passed({"type": "response.created", "sequence_number": 0, "response": began}))
    encoder.feed(passed({"type": "x", "sequence_number": 6}, {"type": "y", "sequence_number": 7}))
    encoder.feed(Passthrough(b": still here\n\n", progress=False))
    said = encoder.error(UpstreamError("It broke"))
    assert said.startswith(b"event: response.failed\ndata: ")
    failed = orjson.loads(said.partition(b"data: ")[2])
    assert failed["sequence_number"] == 8
    assert failed["response"] == {
        **began,
        "status": "failed",
        "error": {"code": "server_error", "message": "It broke"},
        "output": [],
    }


def test_a_relayed_stream_that_tells_nothing_of_itself_fails_all_the_same() -> None:
    encoder = StreamEncoder(asked())
    encoder.feed(passed({"type": "x"}))
    assert read(encoder.error(UpstreamError("It broke")))[-1]["type"] == "response.failed"


# whole answers


def body(*told: Event, **fields: Any) -> Json:
    request = asked(stream=False, **fields)
    found: Json = orjson.loads(OPENAI_RESPONSES.encode_completion(request, whole(told)))
    Response.model_validate(found, strict=True)
    return found


def test_a_whole_answer_has_everything() -> None:
    told: list[Event] = [
        Started("up", "gpt"),
        ReasoningDelta("Hm."),
        TextDelta("Hello"),
        Citations((Citation("https://a.example"),)),
        Logprobs({"content": [{"token": "H", "logprob": -1}]}),
        RefusalDelta("No."),
        ToolCallDelta(0, "c", "f", "{}"),
        Usage(1, 2),
        Finish("tool_calls"),
    ]
    found = body(*told)
    thought, message, call = found["output"]
    assert thought["content"][0]["text"] == "Hm."
    text, refusal = message["content"]
    assert (text["text"], refusal["refusal"]) == ("Hello", "No.")
    assert text["annotations"][0]["url"] == "https://a.example"
    assert text["logprobs"][0]["token"] == "H"
    assert call["arguments"] == "{}"
    assert (found["status"], found["model"], found["provider"]) == ("completed", "gpt", "up")
    assert found["usage"]["total_tokens"] == 3


def test_a_whole_answer_that_is_cut_says_so() -> None:
    found = body(TextDelta("Hel"), Finish("length"))
    assert found["status"] == "incomplete"
    assert found["output"][0]["status"] == "incomplete"


def test_a_whole_answer_may_be_a_call_alone() -> None:
    (call,) = body(ToolCallDelta(0, "c", "f", "{}"), Finish("tool_calls"))["output"]
    assert call["type"] == "function_call"


def test_a_whole_answer_without_a_finish_is_complete_all_the_same() -> None:
    assert body(TextDelta("Hel"))["status"] == "completed"


# samples and properties


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_what_chat_completions_say_is_told_as_a_response(sample: Sample) -> None:
    request = asked(**sample.request)
    decoder = OPENAI_CHAT.decoder(request, "up")
    stream = written([Started("up", "gpt-4o"), *fed(decoder, [sample.stream])], request)
    response = checked(stream)
    assert same_ids(stream).decode().strip() == sample.relayed.decode().strip()
    assert {key: response[key] for key in sample.answer} == sample.answer


def same_ids(stream: bytes) -> bytes:
    """A stream with its ids and times in the place of which others would be as good."""
    ids: dict[bytes, bytes] = {}

    def named(found: re.Match[bytes]) -> bytes:
        prefix = found[1]
        return ids.setdefault(found[0], b"%b_%d" % (prefix, len(ids)))

    stream = re.sub(rb"\b(resp|msg|rs|fc|ctc)_(?:local)?[0-9a-f]{48}", named, stream)
    return re.sub(rb'_at":\d+', b'_at":0', stream)


PIECES = st.lists(
    st.one_of(
        st.builds(TextDelta, st.text(max_size=5)),
        st.builds(ReasoningDelta, st.text(max_size=5)),
        st.builds(RefusalDelta, st.text(max_size=5)),
        st.builds(
            ToolCallDelta,
            st.integers(0, 2),
            st.sampled_from([None, "a", "b"]),
            st.sampled_from(["f", "patch"]),
            st.text('{}ab" ', max_size=5),
        ),
        st.just(Citations((Citation("u"),))),
        st.just(Logprobs({"content": [{"token": "t", "logprob": -1}]})),
    ),
    max_size=12,
)


@given(PIECES, st.sampled_from([{}, SUMMARY]), st.sampled_from(["stop", "length"]))
def test_whatever_comes_is_told_in_order_and_in_full(
    told: list[Event], fields: Json, reason: Any
) -> None:
    request = asked(tools=[function("f"), PATCH], **fields)
    response = checked(written([*told, Finish(reason)], request))
    answer = whole(told).choice()
    said = [
        part
        for item in response["output"]
        for part in item.get("content", ()) or item.get("summary", ())
    ]
    for kind, key, expected in (
        ("output_text", "text", answer.text),
        ("refusal", "refusal", answer.refusal),
    ):
        assert "".join(part[key] for part in said if part["type"] == kind) == expected
    thoughts = [part["text"] for part in said if part["type"].startswith(("reason", "summary"))]
    assert "".join(thoughts) == answer.reasoning
    calls = [item for item in response["output"] if "call_id" in item]
    assert len(calls) == len(answer.tool_calls)


@given(PIECES)
def test_the_next_request_says_what_the_answer_said(told: list[Event]) -> None:
    """The output of a response, sent back as input, is the answer again."""
    tools = [function("f"), PATCH]
    first = checked(written(told, asked(tools=tools)))
    again = asked(tools=tools, input=[{"role": "user", "content": "Hi"}, *first["output"]])
    messages = again.messages[1:]
    answer = whole(told).choice()
    assert "".join(message.text for message in messages) == answer.text
    calls = [call for message in messages for call in message.tool_calls]
    assert len(calls) == len(answer.tool_calls)
    for call, item in zip(calls, [i for i in first["output"] if "call_id" in i], strict=True):
        assert call.id == item["call_id"]
        if item["type"] == "function_call":
            assert call.arguments == item["arguments"]
        else:
            assert orjson.loads(call.arguments) == {"input": item["input"]}
