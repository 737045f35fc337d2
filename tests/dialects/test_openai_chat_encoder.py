"""Events as a stream and as a body: each chunk is one that the official client accepts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError, UpstreamError
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
from g4f_aio.dialects.openai_chat_decoder import EventDecoder
from g4f_aio.dialects.openai_chat_encoder import (
    StreamEncoder,
    encode_completion,
    error_object,
    new_call_id,
    new_id,
)

from ..golden.samples import Sample, samples
from . import strict
from .chat_stream import answered, checked, usage_of
from .wire import DONE, Json, chunks, cut, datas, described, fed, request, whole

SAMPLES = samples("openai-chat")
WISHES: list[Json] = [
    {},
    {"stream_options": {"include_usage": True}},
    {"stream_options": {"include_usage": False}},
]


def encoded(events: Iterable[Event], **fields: Any) -> bytes:
    encoder = StreamEncoder(request(**fields))
    return b"".join([*map(encoder.feed, events), encoder.finish()])


EXAMPLES: list[tuple[Event, bytes | None]] = [
    (Started("p", "m"), b""),
    (TextDelta("a"), None),
    (ReasoningDelta("a"), None),
    (RefusalDelta("a"), None),
    (ToolCallDelta(0, "c", "f", "{}"), None),
    (Logprobs({"content": []}), None),
    (Media("image", "https://a"), None),
    (Citations((Citation("https://a"),)), None),
    (Preview("a"), b""),
    (Title("a"), b""),
    (Suggestions(("a",)), b""),
    (Status("a"), b": a\n\n"),
    (ConversationState({"a": 1}), b""),
    (Usage(1, 2), b""),
    (Finish(), b""),
    (Passthrough(b"data: x\n\n"), b"data: x\n\n"),
]


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event, _ in EXAMPLES} == set(get_args(Event))


@pytest.mark.parametrize(("event", "expected"), EXAMPLES, ids=lambda one: type(one).__name__)
def test_every_event_is_written_as_whole_frames_or_not_at_all(
    event: Event, expected: bytes | None
) -> None:
    written = StreamEncoder(request()).feed(event)
    if expected is not None:
        assert written == expected
    else:
        assert written.endswith(b"\n\n")
        assert chunks(written)


def test_a_short_answer_byte_for_byte() -> None:
    encoder = StreamEncoder(request(model="asked"))
    written = [
        encoder.feed(event)
        for event in (Started("p", "real"), TextDelta('a"é\n'), Usage(1, 2), Finish("length"))
    ]
    head = written[1].partition(b',"choices"')[0]
    value = orjson.loads(head.removeprefix(b"data: ") + b"}")
    assert value.keys() == {"id", "object", "created", "model"}
    assert value["model"] == "real"
    assert value["object"] == "chat.completion.chunk"
    choice = b'{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}]'
    assert written == [
        b"",
        head
        + b',"choices":['
        + choice % (b'{"role":"assistant","content":""}', b"null")
        + b"}\n\n"
        + head
        + b',"choices":['
        + choice % ('{"content":"a\\"é\\n"}'.encode(), b"null")
        + b"}\n\n",
        b"",
        b"",
    ]
    assert encoder.finish() == (
        head
        + b',"choices":['
        + choice % (b"{}", b'"length"')
        + b',"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n'
        + DONE
    )


def test_the_model_is_the_one_asked_for_while_nobody_said_who_answers() -> None:
    assert chunks(StreamEncoder(request(model="asked")).feed(TextDelta("a")))[0]["model"] == "asked"


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_without_a_wish_the_last_finishing_chunk_carries_the_usage() -> None:
    found = checked(
        encoded([TextDelta("a"), TextDelta("b", 1), Finish(choice=1), Finish(), Usage(1, 2)], n=2)
    )
    assert ["usage" in one for one in found] == [False] * 5 + [True]
    assert found[-1]["usage"] == USAGE
    assert found[-1]["choices"][0]["index"] == 0


def test_with_the_wish_every_chunk_has_null_and_the_last_one_the_usage_and_no_choices() -> None:
    found = checked(encoded([TextDelta("a"), Finish(), Usage(1, 2)], **WISHES[1]))
    assert [one["usage"] for one in found] == [None, None, None, USAGE]
    assert found[-1]["choices"] == []


def test_with_the_wish_for_none_there_is_none() -> None:
    found = checked(encoded([TextDelta("a"), Finish(), Usage(1, 2)], **WISHES[2]))
    assert all("usage" not in one for one in found)


@pytest.mark.parametrize("wish", WISHES[:2])
def test_usage_that_nobody_reported_is_estimated_and_says_so(wish: Json) -> None:
    events: list[Event] = [TextDelta("abcd"), ReasoningDelta("abcd"), Finish()]
    usage = checked(encoded(events, **wish))[-1]["usage"]
    assert usage["completion_tokens"] == 2
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + 2
    assert usage["estimated"] is True


def test_what_comes_after_the_finish_is_still_counted_and_written() -> None:
    found = checked(encoded([TextDelta("a"), Finish("length"), TextDelta("b")]))
    assert [one["choices"][0]["delta"].get("content") for one in found] == ["", "a", "b", None]


def test_a_choice_finishes_once_for_the_first_reason() -> None:
    found = checked(encoded([TextDelta("a"), Finish("length"), Finish("stop")]))
    assert [one["choices"][0]["finish_reason"] for one in found] == [None, None, "length"]


def test_an_answer_with_nothing_in_it_has_its_role_and_its_finish() -> None:
    found = checked(encoded([Finish("content_filter")]))
    assert [one["choices"][0]["delta"] for one in found] == [
        {"role": "assistant", "content": ""},
        {},
    ]


def test_thinking_refusals_and_logprobs_have_their_fields() -> None:
    probs = {"content": [{"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    found = checked(
        encoded([ReasoningDelta("r"), RefusalDelta("n"), TextDelta("a"), Logprobs(probs), Finish()])
    )
    choices = [one["choices"][0] for one in found]
    assert [choice["delta"] for choice in choices[1:-1]] == [
        {"reasoning_content": "r"},
        {"refusal": "n"},
        {"content": "a"},
        {},
    ]
    assert [choice["logprobs"] for choice in choices] == [None, None, None, None, probs, None]


@pytest.mark.parametrize(
    ("media", "text"),
    [
        (Media("image", "https://a", "image/png", "A cat"), "\n![A cat](https://a)\n"),
        (Media("audio", "https://a"), "\n[](https://a)\n"),
    ],
)
def test_media_are_markdown(media: Media, text: str) -> None:
    assert answered(encoded([media, Finish()])).choices[0].message.content == text


def test_sources_are_annotations() -> None:
    (_, found, _) = checked(encoded([Citations((Citation("https://a", "A"),)), Finish()]))
    assert found["choices"][0]["delta"]["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 0},
        }
    ]


def test_the_fragments_of_calls_are_numbered_anew_and_named_once() -> None:
    events: list[Event] = [
        ToolCallDelta(5, "a", "f", "{"),
        ToolCallDelta(2, None, "g"),
        ToolCallDelta(5, "a", "f", "}"),
        ToolCallDelta(2, "late", None, "{}"),
        ToolCallDelta(7, "a", "h", "plain", type="custom"),
        ToolCallDelta(7, None, None, " text", type="custom"),
        Finish("tool_calls"),
    ]
    fragments = [
        call
        for one in checked(encoded(events))
        for call in one["choices"][0]["delta"].get("tool_calls", ())
    ]
    given_id, made_id = fragments[1].pop("id"), fragments[4].pop("id")
    assert given_id.startswith("call_")
    assert made_id.startswith("call_")
    assert fragments == [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}},
        {"index": 1, "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 0, "function": {"arguments": "}"}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 2, "type": "custom", "custom": {"name": "h", "input": "plain"}},
        {"index": 2, "custom": {"input": " text"}},
    ]


def test_sources_belong_to_their_choice() -> None:
    said: list[Event] = [TextDelta("a"), TextDelta("b", 1), Citations((Citation("https://a"),), 1)]
    noted = [
        chunk["choices"][0]["index"]
        for chunk in checked(encoded([*said, Finish(), Finish(choice=1)]))
        if chunk["choices"] and "annotations" in chunk["choices"][0]["delta"]
    ]
    assert noted == [1]


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(100)}) == 100
    assert new_call_id("a", {"b"}) == "a"
    assert new_call_id("a", {"a"}).startswith("call_")
    assert new_call_id(None, set()) != new_call_id("", set())


@pytest.mark.parametrize("text", ["a\n\ndata: {}\n\n", "a\r\n\r\ndata: {}", "a\rdata: x", "\n", ""])
def test_a_status_is_a_comment_and_cannot_be_more(text: str) -> None:
    encoder = StreamEncoder(request())
    assert datas(encoder.feed(Status(text))) == []
    stream = (
        encoder.feed(TextDelta("a")) + encoder.feed(Status(text)) + encoder.feed(TextDelta("b"))
    )
    assert len(chunks(stream)) == 3


@pytest.mark.parametrize(
    "text", ["\n\ndata: [DONE]\n\n", '"}]}\n\n', "\u2028\u2029\x00\x1f", "\ud83d", "[DONE]"]
)
def test_no_text_can_end_its_chunk(text: str) -> None:
    stream = encoded(
        [TextDelta(text), ToolCallDelta(0, text, text, text), Finish()],
        model=text.encode("utf-8", "ignore").decode(),
    )
    found = [orjson.loads(data.replace(b"\\ud83d", b"half")) for data in datas(stream)[:-1]]
    assert len(found) == 4
    assert found[1]["choices"][0]["delta"]["content"] == text.replace("\ud83d", "half")


def test_an_error_has_its_four_fields_and_nothing_after_it() -> None:
    encoder = StreamEncoder(request())
    encoder.feed(TextDelta("a"))
    assert encoder.error(UpstreamError("cut\n\noff")) == (
        b'data: {"error":{"message":"cut\\n\\noff","type":"provider_error","param":null,'
        b'"code":"provider_not_working"}}\n\n'
    )


def test_an_error_object_names_the_field_at_fault() -> None:
    assert error_object(BadRequestError("no", param="n")) == {
        "error": {"message": "no", "type": "invalid_request_error", "param": "n", "code": None}
    }


def test_what_is_handed_on_verbatim_to_its_end_is_not_ended_again() -> None:
    assert encoded([Started("p", "m"), Passthrough(b"a"), Passthrough(b"b", last=True)]) == b"ab"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_translated_means_the_same(sample: Sample) -> None:
    stream = encoded(fed(EventDecoder("up"), [sample.stream]))
    checked(stream)
    found = described(whole(fed(EventDecoder("up"), [stream])))
    if sample.answer["usage"] is None:  # estimated
        found["usage"] = None
    assert found == sample.answer


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.name != "custom-tool-call"],
    ids=lambda sample: sample.name,
)
def test_a_sample_translated_means_the_same_to_the_official_client(
    sample: Sample, wish: Json
) -> None:
    events = fed(EventDecoder("up"), [sample.stream])
    answer = answered(encoded(events, **wish))
    assert len(answer.choices) == len(sample.answer["choices"])
    for choice, expected in zip(answer.choices, sample.answer["choices"], strict=True):
        message = choice.message.model_dump()
        assert (message["content"] or "") == expected.get("text", "")
        assert (message["refusal"] or "") == expected.get("refusal", "")
        assert message.get("reasoning_content", "") == expected.get("reasoning", "")
        assert choice.finish_reason == expected["finish"]
        assert [
            [call["id"], call["type"], call["function"]["name"], call["function"]["arguments"]]
            for call in message["tool_calls"] or ()
        ] == expected.get("tool_calls", [])
        said = [note["url_citation"]["url"] for note in message.get("annotations") or ()]
        assert said == [url for url, _ in expected.get("citations", ())]
        probs = choice.logprobs and choice.logprobs.content
        assert [p.model_dump() for p in probs or ()] == expected.get("logprobs", {}).get(
            "content", []
        )
    if wish is WISHES[2]:
        assert answer.usage is None
    elif sample.answer["usage"] is not None:
        assert answer.usage is not None
        asked, said, *_ = sample.answer["usage"]
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (asked, said)


TEXT = st.text(max_size=8)
CHOICE = st.integers(0, 2)
DELTAS = st.one_of(
    st.builds(TextDelta, TEXT, CHOICE),
    st.builds(ReasoningDelta, TEXT, CHOICE),
    st.builds(RefusalDelta, TEXT, CHOICE),
    st.builds(
        lambda index, name, text, choice: ToolCallDelta(index, f"call-{index}", name, text, choice),
        st.integers(0, 3),
        st.text(min_size=1, max_size=4),
        TEXT,
        CHOICE,
    ),
    st.builds(Status, TEXT),
    st.builds(
        lambda token, choice: Logprobs({"content": [{"token": token}]}, choice), TEXT, CHOICE
    ),
)
REASONS = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
USAGES = st.builds(Usage, *[st.integers(0, 9)] * 4)


@given(
    st.lists(DELTAS),
    REASONS,
    USAGES,
    st.sampled_from(WISHES),
    st.lists(st.integers(0, 2**16)),
)
def test_events_come_back_the_same_however_their_stream_is_cut(
    deltas: list[Event], reason: Any, usage: Usage, wish: Json, places: list[int]
) -> None:
    seen = {0} | {event.choice for event in deltas if hasattr(event, "choice")}
    finishes = [Finish(reason, choice) for choice in sorted(seen)]
    events: list[Event] = [Started("p", "m"), *deltas, usage, *finishes]
    stream = encoded(events, n=3, **wish)
    found = whole(fed(EventDecoder("up"), cut(stream, places)))
    told = whole(events)
    assert found.choices.keys() == told.choices.keys()
    for index, choice in told.choices.items():
        again = found.choices[index]
        assert (again.text, again.reasoning) == (choice.text, choice.reasoning)
        assert (again.refusal, again.finish) == (choice.refusal, choice.finish)
        assert again.logprobs == choice.logprobs
        # counted anew in the order in which they began
        assert sorted(again.tool_calls, key=lambda call: call.id) == sorted(
            choice.tool_calls, key=lambda call: call.id
        )
    if wish is WISHES[2]:
        assert found.usage is None
    else:
        assert found.usage is not None
        assert (found.usage.input, found.usage.output) == (usage.input, usage.output)
        assert (found.usage.cached, found.usage.reasoning) == (usage.cached, usage.reasoning)


@given(st.lists(DELTAS), REASONS, st.sampled_from(WISHES))
def test_every_stream_is_one_the_official_client_can_read(
    deltas: list[Event], reason: Any, wish: Json
) -> None:
    plain = [event for event in deltas if not isinstance(event, Logprobs)]
    seen = {0} | {event.choice for event in plain if hasattr(event, "choice")}
    finishes = [Finish(reason, index) for index in seen]
    found = checked(encoded([*plain, *finishes], n=3, **wish))
    usage_of(found, wish.get("stream_options", {}).get("include_usage"))


def completed(*events: Event, **fields: Any) -> Json:
    data = encode_completion(request(stream=False, **fields), whole(events))
    found: Json = orjson.loads(data)
    strict.completion(found)
    return found


def test_a_whole_answer_as_the_documentation_shows_it() -> None:
    found = completed(
        Started("Groq", "m"), TextDelta("Hel"), TextDelta("lo"), Finish(), Usage(1, 2)
    )
    assert found.pop("id").startswith("chatcmpl-")
    assert found.pop("created") > 1_700_000_000
    assert found == {
        "object": "chat.completion",
        "model": "m",
        "provider": "Groq",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }


@pytest.mark.parametrize(
    ("events", "content"),
    [
        ([], ""),
        ([ReasoningDelta("r")], ""),
        ([RefusalDelta("n")], None),
        ([ToolCallDelta(0, "c", "f", "{}")], None),
        ([TextDelta("a"), ToolCallDelta(0, "c", "f", "{}")], "a"),
    ],
)
def test_content_is_null_only_where_something_else_was_said(
    events: list[Event], content: str | None
) -> None:
    assert completed(*events, Finish())["choices"][0]["message"]["content"] == content


def test_everything_else_in_a_message() -> None:
    probs = [{"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": []}]
    found = completed(
        ReasoningDelta("r"),
        RefusalDelta("n"),
        ToolCallDelta(1, "same", "g", "x", type="custom"),
        ToolCallDelta(0, "same", "f", "{}"),
        ToolCallDelta(2, None, "h"),
        Citations((Citation("https://a", "A"),)),
        Logprobs({"content": probs}),
        Finish("tool_calls"),
    )["choices"][0]
    message = found["message"]
    assert message["reasoning_content"] == "r"
    assert message["refusal"] == "n"
    assert found["logprobs"] == {"content": probs}
    assert message["annotations"][0]["url_citation"]["url"] == "https://a"
    first, second, third = message["tool_calls"]
    assert first == {
        "id": "same",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    }
    assert len({first["id"], second["id"], third["id"]}) == 3
    assert second["custom"] == {"name": "g", "input": "x"}


def test_several_answers_stand_in_order() -> None:
    found = completed(TextDelta("b", 1), TextDelta("a", 0), Finish("length", 1), Finish(), n=2)
    assert [(c["index"], c["message"]["content"]) for c in found["choices"]] == [(0, "a"), (1, "b")]


def test_a_whole_answer_without_usage_is_estimated() -> None:
    usage = completed(
        ReasoningDelta("abcd"), TextDelta("abcd"), ToolCallDelta(0, "c", "f", "abcd"), Finish()
    )["usage"]
    assert usage["completion_tokens"] == 3
    assert usage["estimated"] is True


def test_a_whole_answer_handed_on_verbatim_is_not_touched() -> None:
    answer = whole([Started("p", "m"), Passthrough(b'{"x": 1}', last=True)])
    assert encode_completion(request(), answer) == b'{"x": 1}'


def test_half_a_character_does_not_stop_an_answer() -> None:
    answer = whole([TextDelta("a\ud83d"), Finish()])
    assert b'"content":"a\\ud83d"' in encode_completion(request(), answer)
