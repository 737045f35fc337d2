"""An upstream's stream handed on: the same bytes but where the contract wants a change, and no
answer that is cut, malformed or an error ends as if it were whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from g4f_aio.core.errors import GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import Event, Passthrough, Usage
from g4f_aio.dialects.openai_chat_relay import WITHHELD, Relay

from ..golden.samples import Sample, samples
from .wire import DONE, Json, chunk, chunks, cut, datas, fed, frame, passed, request

SAMPLES = samples("openai-chat")
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
NOTHING: Json = {}
WANTED: Json = {"stream_options": {"include_usage": True}}
UNWANTED: Json = {"stream_options": {"include_usage": False}}
WISHES = [NOTHING, WANTED, UNWANTED]
COMMENT = b": here I am\n\n"


def relayed(*frames: bytes, **fields: Any) -> bytes:
    """What a client gets of an upstream's *frames*."""
    return passed(fed(Relay(request(**fields), "up"), [b"".join(frames)]))


def text(*words: str, index: int = 0, **more: Any) -> bytes:
    return b"".join(frame(chunk({"content": word}, index=index) | more) for word in words)


def end(*, index: int = 0, reason: str = "stop", **more: Any) -> bytes:
    return frame(chunk(index=index, finish=reason) | more)


def usage_only(**more: Any) -> bytes:
    return frame(chunk() | {"choices": [], "usage": USAGE} | more)


def finishes(stream: bytes) -> list[tuple[int, str]]:
    return [
        (choice["index"], choice["finish_reason"])
        for one in chunks(stream)
        for choice in one["choices"]
        if choice["finish_reason"]
    ]


def usages(stream: bytes) -> list[Any]:
    """The usage of each chunk that has one that is not null."""
    return [one["usage"] for one in chunks(stream) if one.get("usage")]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_handed_on_as_it_says(sample: Sample) -> None:
    assert relayed(sample.stream, **sample.request) == sample.relayed


@given(st.sampled_from(SAMPLES), st.lists(st.integers(0, 2**16)))
def test_a_sample_is_handed_on_the_same_however_it_is_cut(
    sample: Sample, places: list[int]
) -> None:
    events = fed(Relay(request(**sample.request), "up"), cut(sample.stream, places))
    assert passed(events) == sample.relayed


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_handed_on_the_same_byte_by_byte(sample: Sample) -> None:
    relay = Relay(request(**sample.request), "up")
    assert passed(fed(relay, cut(sample.stream, range(len(sample.stream))))) == sample.relayed


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_with_other_line_ends_means_the_same_and_keeps_them(sample: Sample) -> None:
    stream = sample.stream.replace(b"\n", b"\r\n")
    found = relayed(stream, **sample.request)
    assert chunks(found) == chunks(sample.relayed)
    ours = b"data: [DONE]\n\n" if b"[DONE]" not in stream else b""
    if b'"finish_reason":"' in stream:
        assert found == sample.relayed.removesuffix(ours).replace(b"\n", b"\r\n") + ours


@attrs.frozen
class Written:
    """A chunk in some spelling."""

    value: Json
    frame: bytes


def write(value: Json, style: str) -> Written:
    compact = orjson.dumps(value)
    match style:
        case "compact":
            data = b"data: " + compact + b"\n\n"
        case "tight":
            data = b"data:" + compact + b"\n\n"
        case "spaced":
            data = b"data: " + json.dumps(value).encode() + b"\n\n"
        case "CRLF":
            data = b"data: " + compact + b"\r\n\r\n"
        case "event":
            data = b"event: chunk\nid: 7\n: note\ndata: " + compact + b"\n\n"
        case _:
            pretty = orjson.dumps(value, option=orjson.OPT_INDENT_2).split(b"\n")
            data = b"".join(b"data: " + line + b"\n" for line in pretty) + b"\n"
    return Written(value, data)


STYLES = st.sampled_from(["compact", "compact", "tight", "spaced", "CRLF", "event", "pretty"])
WORDS = st.sampled_from(
    [
        "a",
        "é漢😀",
        "\u2028",
        "\\",
        '"',
        '"finish_reason":"stop"',
        "[DONE]",
        "\n\ndata: {",
        "\n\ndata: [DONE]\n\n",
        '"usage":{"prompt_tokens":1}',
        '"usage":null',
        '},"error":{"message":"x"},"x":{',
        "",
    ]
)
DELTAS = st.one_of(
    WORDS.map(lambda word: {"content": word}),
    WORDS.map(lambda word: {"content": word}),
    WORDS.map(lambda word: {"reasoning_content": word, "content": None}),
    WORDS.map(lambda word: {"refusal": word}),
    WORDS.map(lambda word: {"role": "assistant", "content": word}),
    WORDS.map(
        lambda word: {"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": word}}]}
    ),
    WORDS.map(lambda word: {"unknown": [{"x": word}]}),
    st.just({}),
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "usage": st.none(),
        "error": st.none(),
        "x_unknown": st.builds(lambda word: {"finish_reason": word, "usage": None}, WORDS),
        "obfuscation": st.text(max_size=4),
    },
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Written], list[Written], list[Written], bytes]:
    """The chunks of an answer, those that finish it, those for its usage, and its last words."""
    count = draw(st.integers(1, 3))
    indexes = st.integers(0, count - 1)

    def spelled(value: Json) -> Written:
        return write(value | draw(MORE), draw(STYLES))

    said = [spelled(chunk({"role": "assistant"}, index=index)) for index in range(count)]
    said += [
        spelled(chunk(draw(DELTAS), index=draw(indexes))) for _ in range(draw(st.integers(1, 8)))
    ]
    order = draw(st.permutations(range(count)))
    reported = draw(st.sampled_from(["nowhere", "apart", "in the finish", "both"]))
    ends = []
    for index in order:
        value = chunk(index=index, finish=draw(st.sampled_from(["stop", "length"])))
        if reported in ("in the finish", "both") and index == order[-1]:
            ends.append(write(value | draw(MORE) | {"usage": USAGE}, draw(STYLES)))
        else:
            ends.append(spelled(value))
    counted = [usage_only()] if reported in ("apart", "both") else []
    return said, ends, [Written({}, one) for one in counted], draw(st.sampled_from([DONE, b""]))


@given(streams(), st.sampled_from(WISHES), st.lists(st.integers(0, 2**16)))
def test_whatever_the_stream_its_chunks_arrive_unchanged_and_its_end_is_as_promised(
    stream: tuple[list[Written], list[Written], list[Written], bytes],
    wish: Json,
    places: list[int],
) -> None:
    said, ends, counted, done = stream
    sent = b"".join(one.frame for one in [*said, *ends, *counted]) + done
    found = passed(fed(Relay(request(n=3, **wish), "up"), cut(sent, places)))
    # the chunks before the end are the same bytes, unknown fields, spelling and all
    begin = b"".join(one.frame for one in said)
    assert found.startswith(begin)
    # each choice finishes once, in the upstream's order
    assert finishes(found) == finishes(sent)
    # and the finishing chunks are the same but for their usage
    finishing = [one for one in chunks(found[len(begin) :]) if one["choices"]]
    for one, written in zip(finishing, ends, strict=True):
        assert one | {"usage": None} == written.value | {"usage": None}
    assert datas(found).count(b"[DONE]") == 1
    assert found.endswith(DONE)
    # usage is where it was asked for, and nowhere else
    holders = [one for one in chunks(found) if one.get("usage")]
    if wish is UNWANTED:
        assert holders == []
    else:
        assert len(holders) == 1
        assert holders[0] == chunks(found)[-1]
        assert bool(holders[0]["choices"]) == (wish is NOTHING)
        reported = bool(usages(sent))
        assert (holders[0]["usage"] == USAGE) == reported
        assert holders[0]["usage"].get("estimated", False) != reported


@given(streams(), st.sampled_from(WISHES), st.lists(st.integers(0, 2**16)))
def test_the_fast_way_and_the_slow_one_hand_on_the_same_frames(
    stream: tuple[list[Written], list[Written], list[Written], bytes],
    wish: Json,
    places: list[int],
) -> None:
    said, ends, counted, done = stream
    frames = [one.frame for one in [*said, *ends, *counted]] + ([done] if done else [])
    fast = passed(fed(Relay(request(n=3, **wish), "up"), cut(b"".join(frames), places)))
    commented = b"".join(COMMENT + one for one in frames)
    slow = passed(fed(Relay(request(n=3, **wish), "up"), [commented]))
    assert slow.replace(COMMENT, b"") == fast


class TestBeforeTheFirstContent:
    def test_nothing_is_handed_on(self) -> None:
        relay = Relay(request(), "up")
        role = frame(chunk({"role": "assistant", "content": ""}))
        azure = frame({"id": "", "choices": [], "prompt_filter_results": []})
        empty = frame(chunk({"content": "", "tool_calls": [], "refusal": None}))
        for one in (COMMENT, azure, role, empty):
            assert list(relay.feed(one)) == []
        assert list(relay.feed(text("a"))) == [
            Passthrough(COMMENT + azure + role + empty + text("a"))
        ]

    @pytest.mark.parametrize(
        "delta",
        [
            {"content": "a"},
            {"reasoning_content": "a"},
            {"reasoning": "a"},
            {"refusal": "a"},
            {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]},
            {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]},
            {"tool_calls": [None, {"function": "x"}, {}]},
            {"tool_calls": {"index": 0}},
            {"function_call": {"name": "f"}},
            {"audio": {"id": "a"}},
        ],
    )
    def test_anything_said_counts_as_content(self, delta: Json) -> None:
        assert passed(Relay(request(), "up").feed(frame(chunk(delta)))) == frame(chunk(delta))

    @pytest.mark.parametrize(
        "bad",
        [
            frame({"error": {"message": "overheated"}}),
            b"data: {\n\n",
            DONE,
        ],
    )
    def test_a_failure_is_raised_before_any_event(self, bad: bytes) -> None:
        relay = Relay(request(), "up")
        begin = b"" if bad == DONE else frame(chunk({"role": "assistant"}))
        assert list(relay.feed(COMMENT + begin)) == []
        with pytest.raises(UpstreamError) as caught:
            next(iter(relay.feed(bad)))
        assert caught.value.provider == "up"

    def test_an_answer_that_says_nothing_is_handed_on_when_it_is_done(self) -> None:
        relay = Relay(request(**UNWANTED), "up")
        stream = frame(chunk({"role": "assistant"})) + end()
        assert list(relay.feed(stream)) == []
        (event,) = relay.feed(DONE)
        assert isinstance(event, Passthrough)
        assert event.data == stream + DONE
        assert event.last

    def test_what_is_withheld_has_a_limit(self) -> None:
        relay = Relay(request(), "up")
        padding = frame(chunk({"role": "x" * (WITHHELD // 2)}))
        assert list(relay.feed(padding)) == []
        assert passed(relay.feed(padding)) == padding + padding
        assert passed(relay.feed(COMMENT)) == COMMENT


class TestFailures:
    @pytest.mark.parametrize(
        "bad",
        [
            frame({"error": {"message": "overheated"}}),
            frame({"error": "overheated"}),
            frame({"object": "error", "message": "overheated"}),
            frame(chunk({"content": "b"}) | {"error": {"message": "overheated"}}),
            b'event: error\ndata: {"error": {"message": "overheated"}}\n\n',
            b'data: {"error":\r\ndata: {"message": "overheated"}}\r\n\r\n',
        ],
    )
    @pytest.mark.parametrize("after", [b"", text("z"), DONE])
    def test_an_error_comes_after_the_frames_before_it(self, bad: bytes, after: bytes) -> None:
        good = frame(chunk({"role": "assistant"})) + text("a")
        relay = Relay(request(), "up")
        events = iter(relay.feed(good + bad + after))
        assert next(events) == Passthrough(good)
        with pytest.raises(UpstreamError, match=r"^up failed: overheated$"):
            next(events)

    def test_an_error_about_the_rate_says_so(self) -> None:
        bad = frame({"error": {"message": "slow down", "type": "rate_limit_error"}})
        with pytest.raises(RateLimitError):
            relayed(bad)

    @pytest.mark.parametrize(
        "data",
        [
            b"{",
            b"[]",
            b"[1]",
            b"1",
            b'"x"',
            b"null",
            b"{}{}",
            b"[DONE",
            b'{"choices": 1}',
            b'{"choices": {}}',
            b'{"choices": ""}',
            b'{"choices": [1]}',
            b'{"choices": [null]}',
            b'{"choices": [{"index": "0"}]}',
            b'{"choices": [{"index": [0]}]}',
            b'{"choices": [{"delta": "x"}]}',
            b'{"choices": [{"delta": ["x"]}]}',
            b'{"choices": [{"delta": {"content": NaN}}]}',
            b'{"choices": [{"delta": {"content": "\xff"}}]}',
            b"[" * 100_000,
        ],
    )
    @pytest.mark.parametrize("style", [b"data: %b\n\n", b"data:%b\r\n\r\n", b": x\ndata: %b\n\n"])
    def test_malformed_data_comes_after_the_frames_before_it(
        self, data: bytes, style: bytes
    ) -> None:
        events = iter(Relay(request(), "up").feed(text("a", "b") + style % data))
        assert next(events) == Passthrough(text("a", "b"))
        with pytest.raises(UpstreamError, match=r"^up sent malformed data: "):
            next(events)

    @pytest.mark.parametrize(
        "torn",
        [
            b'data: {"choices":[]\n}\n\n',
            b'data: {"choices":\n\n[]}\n\n',
            b'data: {"choices":[{}\n\ndata: {}]},{"choices":[]}\n\n',
            b'data: {"choices":[]\ndata: {}\n\n',
            b'data: {"choices":[]\r}\n\n',
        ],
    )
    def test_json_that_is_whole_only_across_lines_is_malformed(self, torn: bytes) -> None:
        relay = Relay(request(), "up")
        list(relay.feed(text("a")))
        with pytest.raises(UpstreamError):
            list(relay.feed(torn))
        with pytest.raises(UpstreamError):
            list(Relay(request(), "up").feed(text("a", "b", "c") + torn))

    @pytest.mark.parametrize("torn", [b'a"', b"a\\", b'","', b'a","b', b"\\ud800\\", b"\x01"])
    def test_a_torn_text_among_many_is_found(self, torn: bytes) -> None:
        good = text("a", "b", "c")
        with pytest.raises(UpstreamError):
            relayed(good + text("@").replace(b"@", torn) + good + end() + DONE)

    @pytest.mark.parametrize(
        "stream",
        [
            b"",
            COMMENT,
            text("a"),
            text("a", "b"),
            text("a") + text("b", index=1) + end(),
            text("a") + b'data: {"choi',
            text("a") + usage_only(),
            frame({"choices": []}) + DONE,
            # read by the text alone, but seen
            frame(chunk({"role": "assistant"})) + text("a", "b", index=1) + end(),
        ],
    )
    @pytest.mark.parametrize("wish", WISHES)
    def test_a_stream_that_ends_before_its_answer_is_an_error(
        self, stream: bytes, wish: Json
    ) -> None:
        with pytest.raises(UpstreamError):
            relayed(stream, **wish)

    def test_an_error_between_the_finish_and_done_is_raised(self) -> None:
        with pytest.raises(UpstreamError):
            relayed(text("a") + end() + frame({"error": "x"}))


class TestUsage:
    @pytest.mark.parametrize("usage", [USAGE, USAGE | {"cost": 1, "prompt_tokens_details": None}])
    def test_left_open_it_moves_into_the_finishing_chunk_otherwise_unchanged(
        self, usage: Json
    ) -> None:
        found = relayed(text("a") + end(x=[1]) + usage_only(usage=usage) + DONE)
        assert found == text("a") + end(x=[1], usage=usage) + DONE

    def test_left_open_a_null_in_the_finishing_chunk_is_replaced_where_it_stands(self) -> None:
        spelled = (
            b'data: {"id":"1","usage" : null,"choices":[{"finish_reason":"stop","index":0}],'
            b'"x":1.50}\n\n'
        )
        found = relayed(text("a") + spelled + usage_only() + DONE)
        assert (
            found
            == text("a")
            + spelled.replace(b'"usage" : null', b'"usage":' + orjson.dumps(USAGE))
            + DONE
        )

    def test_left_open_with_nulls_elsewhere_the_right_one_is_replaced(self) -> None:
        odd = end(x={"usage": None}, usage=None)
        (one,) = chunks(relayed(text("a") + odd + usage_only() + DONE))[1:]
        assert one["usage"] == USAGE
        assert one["x"] == {"usage": None}

    @pytest.mark.parametrize("nothing", [{}, [], "", 0, "x"])
    def test_left_open_something_that_is_no_usage_is_replaced(self, nothing: Any) -> None:
        found = relayed(text("a") + end(usage=nothing) + usage_only() + DONE)
        assert found == text("a") + end(usage=USAGE) + DONE

    def test_left_open_usage_in_the_finishing_chunk_stays_there_and_is_not_said_again(self) -> None:
        stream = text("a") + end(usage=USAGE)
        assert relayed(stream + usage_only() + DONE) == stream + DONE

    def test_left_open_usage_that_nobody_reports_is_estimated(self) -> None:
        (usage,) = usages(relayed(text("abcd", "efgh") + end() + DONE))
        assert usage == {
            "prompt_tokens": 8,
            "completion_tokens": 2,
            "total_tokens": 10,
            "estimated": True,
        }

    def test_what_is_read_twice_is_counted_once(self) -> None:
        special = frame({"choices": []})
        (usage,) = usages(relayed(text("abcd") + special + text("efgh") + end() + DONE))
        assert usage["completion_tokens"] == 2

    def test_left_open_usage_said_before_the_finish_is_said_again_in_it(self) -> None:
        stream = text("a", usage=USAGE)
        assert relayed(stream + end() + DONE) == stream + end(usage=USAGE) + DONE

    def test_left_open_a_late_chunk_with_a_choice_loses_its_usage_to_the_finishing_one(
        self,
    ) -> None:
        late = chunk({"content": ""}) | {"x": 1}
        found = relayed(text("a") + end() + frame(late | {"usage": USAGE}) + DONE)
        assert found == text("a") + frame(late) + end(usage=USAGE) + DONE

    def test_asked_for_usage_in_chunks_with_choices_becomes_a_chunk_of_its_own(self) -> None:
        found = relayed(text("a", usage=USAGE) + end(usage=USAGE) + DONE, **WANTED)
        assert found == text("a", usage=None) + end(usage=None) + usage_only() + DONE

    def test_asked_for_a_chunk_of_its_own_is_handed_on_once(self) -> None:
        stream = text("a", usage=None) + end(usage=None) + usage_only()
        assert relayed(stream + usage_only() + DONE, **WANTED) == stream + DONE

    def test_asked_for_everywhere_in_the_upstreams_own_words_it_stays_everywhere(self) -> None:
        options = {"include_usage": True, "continuous_usage_stats": True}
        stream = text("a", usage=USAGE) + end(usage=USAGE) + usage_only() + DONE
        assert relayed(stream, stream_options=options) == stream

    def test_asked_for_and_not_reported_it_is_estimated(self) -> None:
        found = relayed(text("abcd") + end() + DONE, **WANTED)
        assert found.startswith(text("abcd") + end())
        last = chunks(found)[-1]
        assert last["choices"] == []
        assert last["usage"]["estimated"] is True
        assert (last["id"], last["model"]) == ("chatcmpl-1", "up")

    def test_not_wanted_it_is_taken_out(self) -> None:
        found = relayed(
            text("a", usage=USAGE) + end(usage=USAGE, x=1) + usage_only() + DONE, **UNWANTED
        )
        assert found == text("a") + end(x=1) + DONE

    def test_not_wanted_a_null_may_stay(self) -> None:
        stream = text("a", usage=None) + end(usage=None) + DONE
        assert relayed(stream, **UNWANTED) == stream

    def test_it_is_not_told_before_the_last_event(self) -> None:
        relay = Relay(request(**WANTED), "up")
        events = [*relay.feed(text("a") + end()), *relay.feed(usage_only()), *relay.feed(DONE)]
        assert [event.usage for event in events if isinstance(event, Passthrough)] == [
            None,
            None,
            Usage(5, 7, raw=USAGE),
        ]

    @pytest.mark.parametrize("wish", WISHES)
    @pytest.mark.parametrize("reported", [True, False])
    def test_the_last_event_tells_it_whatever_the_client_wants(
        self, wish: Json, *, reported: bool
    ) -> None:
        stream = text("abcd") + end() + (usage_only() if reported else b"") + DONE
        first, last = (
            *Relay(request(), "up").feed(text("abcd")),
            fed(Relay(request(**wish), "up"), [stream])[-1],
        )
        assert isinstance(first, Passthrough)
        assert isinstance(last, Passthrough)
        assert (first.usage, first.last) == (None, False)
        assert last.last
        expected = Usage(5, 7, raw=USAGE) if reported else Usage(8, 1, estimated=True)
        assert last.usage == expected


class TestTheEnd:
    @pytest.mark.parametrize("wish", WISHES)
    def test_after_a_finish_a_missing_done_is_added(self, wish: Json) -> None:
        stream = text("a") + end() + usage_only()
        assert relayed(stream, **wish) == relayed(stream + DONE, **wish)

    @pytest.mark.parametrize("wish", WISHES)
    def test_with_done_a_missing_finish_is_added(self, wish: Json) -> None:
        found = relayed(text("a") + text("b", index=1) + end() + DONE, **wish)
        assert finishes(found) == [(0, "stop"), (1, "stop")]
        for one in chunks(found):
            ChatCompletionChunk.model_validate(one)

    def test_a_missing_finish_after_a_tool_call_says_so(self) -> None:
        call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
        found = relayed(frame(chunk({"tool_calls": [call]})) + DONE)
        assert finishes(found) == [(0, "tool_calls")]
        assert usages(found)[0]["completion_tokens"] == 2

    def test_a_chunk_of_ours_is_like_the_upstreams_last_one_that_has_an_id(self) -> None:
        azure = frame({"id": "", "model": "", "choices": [], "prompt_filter_results": []})
        found = relayed(text("a") + azure + DONE)
        assert {key: chunks(found)[-1][key] for key in ("id", "object", "created", "model")} == {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "up",
        }

    def test_a_chunk_of_ours_among_chunks_without_an_id_is_complete(self) -> None:
        found = relayed(frame({"choices": [{"delta": {"content": "a"}}]}) + DONE, **WANTED)
        for one in chunks(found)[1:]:
            ChatCompletionChunk.model_validate(one)
            assert one["model"] == "m"

    @pytest.mark.parametrize(
        "done", [b"data:[DONE]\n\n", b"data: [DONE] \r\n\r\n", b"id: 1\ndata: [DONE]\n\n"]
    )
    def test_done_in_other_spellings_is_done_and_kept(self, done: bytes) -> None:
        stream = text("a") + end(usage=USAGE) + done
        relay = Relay(request(), "up")
        assert passed(fed(relay, [stream])) == stream
        assert relay.done

    def test_what_follows_done_is_dropped(self) -> None:
        stream = text("a") + end(usage=USAGE) + DONE
        relay = Relay(request(), "up")
        assert passed(relay.feed(stream + text("b") + b"data: rubbish\n\n" + DONE)) == stream
        assert list(relay.feed(text("c"))) == []
        assert list(relay.close()) == []

    def test_a_choice_finishes_once_whatever_else_comes(self) -> None:
        more = frame(chunk({"content": "b"}, finish="length"))
        found = relayed(text("a") + end() + more + end() + DONE)
        assert finishes(found) == [(0, "stop")]
        assert [one["choices"][0]["delta"].get("content") for one in chunks(found)] == [
            "a",
            "b",
            None,
            None,
        ]

    def test_of_two_choices_in_a_chunk_the_one_that_ended_does_not_end_again(self) -> None:
        both = chunk(finish="stop")
        both["choices"].append({"index": 1, "delta": {}, "finish_reason": "stop"})
        found = relayed(text("a") + text("b", index=1) + end() + frame(both) + DONE)
        assert finishes(found) == [(0, "stop"), (1, "stop")]

    def test_a_finish_with_spaces_in_its_json_is_seen(self) -> None:
        finish = write(chunk(finish="stop") | {"usage": USAGE}, "spaced").frame
        assert b'"finish_reason": "stop"' in finish
        stream = write(chunk({"content": "a"}), "spaced").frame + finish + DONE
        assert relayed(stream) == stream
        relay = Relay(request(), "up")
        assert passed(fed(relay, stream.partition(DONE)[:2])) == stream

    def test_a_finish_of_one_choice_does_not_wait_for_the_others(self) -> None:
        relay = Relay(request(n=2), "up")
        list(relay.feed(text("a") + text("b", index=1)))
        assert passed(relay.feed(end())) == b""
        more = text("c", index=1)
        assert passed(relay.feed(more)) == end() + more
        assert passed(relay.feed(end(index=1))) == b""
        assert passed(relay.feed(usage_only() + DONE)) == end(index=1, usage=USAGE) + DONE


class TestOddChunks:
    @pytest.mark.parametrize(
        "odd",
        [
            frame({}),
            frame({"choices": None}),
            frame({"choices": []}),
            frame({"choices": [], "prompt_filter_results": [{"x": 1}]}),
            frame({"type": "ping"}),
            frame({"choices": [{}]}),
            frame({"choices": [{"index": 0, "delta": None}]}),
            frame({"choices": [{"delta": {}}], "error": None}),
            frame({"choices": [{"delta": {}}], "error": {}}),
            frame({"choices": [{"delta": {"content": "b"}}], "usage": "soon"}),
            b"data:\n\n",
            b"data\n\n",
            b"event: ping\n\n",
            b": comment\n\n",
            b"\n\n",
            b"retry: 10\n\n",
        ],
    )
    def test_it_is_handed_on(self, odd: bytes) -> None:
        stream = text("a") + odd + text("c") + end(usage=USAGE) + DONE
        assert relayed(stream) == stream
        assert passed(fed(Relay(request(), "up"), cut(stream, range(len(stream))))) == stream

    def test_comments_are_no_progress(self) -> None:
        relay = Relay(request(), "up")
        list(relay.feed(text("a")))
        assert list(relay.feed(COMMENT)) == [Passthrough(COMMENT, progress=False)]
        assert list(relay.feed(text("b"))) == [Passthrough(text("b"))]
        assert list(relay.feed(COMMENT + text("c"))) == [Passthrough(COMMENT + text("c"))]
        assert list(relay.feed(b"")) == []

    def test_comments_among_the_texts_do_not_make_it_forget_what_texts_look_like(self) -> None:
        pieces = [text("a"), text("b"), COMMENT] * 10
        stream = b"".join(pieces) + end() + DONE
        events = fed(Relay(request(), "up"), [*pieces, end(), DONE])
        assert passed(events).startswith(b"".join(pieces))
        assert usages(passed(events)) == usages(relayed(stream))
        told = [event.progress for event in events if isinstance(event, Passthrough)]
        assert told[:-1] == [True, True, False] * 10

    def test_every_frame_is_counted_once(self) -> None:
        """What is not handed on, such as usage that comes early, is counted with what follows."""
        relay = Relay(request(), "up")
        feds = [text("a"), text("b", "c"), usage_only(), text("d"), text("e"), text("f")]
        found = [
            [one.pieces for one in relay.feed(each) if isinstance(one, Passthrough)]
            for each in feds
        ]
        assert found == [[1], [2], [], [2], [1], [1]]

    def test_half_a_character_is_handed_on(self) -> None:
        halves = b"".join(text("@").replace(b"@", half) for half in (b"\\ud83d", b"\\ude00"))
        ending = end(x="@").replace(b"@", b"\\ud83d")
        found = relayed(halves + ending + DONE)
        assert found.startswith(halves)
        assert b'"x":"\\ud83d","usage":{' in found
        assert b'"x":"\\ud83d"}' in relayed(
            halves + end(x="@", usage=USAGE).replace(b"@", b"\\ud83d") + DONE, **UNWANTED
        )

    def test_data_in_several_lines_keeps_them_where_its_usage_is_put_in(self) -> None:
        finish = write(chunk(finish="stop"), "pretty").frame
        found = relayed(text("a") + finish + DONE)
        assert found.count(b"data: ") == finish.count(b"data: ") + 2
        assert [one.get("usage", {}).get("estimated") for one in chunks(found)] == [None, True]

    def test_other_lines_of_an_event_stay_where_its_usage_is_changed(self) -> None:
        finish = b": note\r\nid: 1\r\ndata: " + orjson.dumps(chunk(finish="stop")) + b"\r\n\r\n"
        found = relayed(text("a") + finish + usage_only() + DONE)
        ended = orjson.dumps(chunk(finish="stop") | {"usage": USAGE})
        assert found == text("a") + b": note\r\nid: 1\r\ndata: " + ended + b"\r\n\r\n" + DONE

    def test_a_large_chunk_is_handed_on(self) -> None:
        stream = text("x" * 2**20) + end(usage=USAGE) + DONE
        assert passed(fed(Relay(request(), "up"), cut(stream, range(0, 2**20, 2**16)))) == stream

    def test_texts_of_another_kind_are_learned_anew_and_at_last_not_at_all(self) -> None:
        kinds = ["reasoning_content", "content", "refusal"] * 5
        frames = [frame(chunk({kind: word})) for kind in kinds for word in ("a", "b")]
        stream = b"".join(frames) + end(usage=USAGE) + DONE
        assert relayed(stream) == stream
        assert passed(fed(Relay(request(), "up"), [*frames, end(usage=USAGE), DONE])) == stream
        counted = passed(fed(Relay(request(), "up"), [*frames, end(), DONE]))
        assert usages(counted)[0]["completion_tokens"] == -(-len(frames) * 3 // 16)


def whole_body(**more: Any) -> Json:
    message = {"role": "assistant", "content": "abcd", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "created": 1, "choices": [choice]} | more


def answer(data: bytes, **fields: Any) -> bytes:
    (event,) = Relay(request(stream=False, **fields), "up").body(data)
    assert isinstance(event, Passthrough)
    assert event.last
    assert event.usage is not None
    assert json.loads(event.data)["usage"].get("estimated", False) == event.usage.estimated
    return event.data


class TestWholeBodies:
    def test_the_provider_comes_first_and_nothing_else_changes(self) -> None:
        body = b'{ "x": 1.50,\n "choices": [{}], "usage": {"prompt_tokens": 1} }'
        assert answer(b"\n" + body + b"\n") == b'{"provider":"up",' + body[1:]

    def test_a_provider_that_is_there_stays(self) -> None:
        body = orjson.dumps(whole_body(provider="DeepInfra", usage=USAGE))
        assert answer(body) == body

    def test_missing_usage_is_estimated_at_the_end(self) -> None:
        body = orjson.dumps(whole_body(provider="p"))
        usage = b'{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9,"estimated":true}'
        assert answer(body) == body[:-1] + b',"usage":' + usage + b"}"

    @pytest.mark.parametrize("spelling", [b'"usage":null', b'"usage" : null'])
    def test_null_usage_is_replaced_where_it_stands(self, spelling: bytes) -> None:
        before, after = b'{"provider":"p",', b',"choices":[{"message":{}}],"x":1.50}'
        found = answer(before + spelling + after)
        assert found.startswith(before + b'"usage":{')
        assert found.endswith(after)

    def test_null_usage_among_others_is_replaced(self) -> None:
        found = orjson.loads(answer(orjson.dumps(whole_body(usage=None, x={"usage": None}))))
        assert found["x"] == {"usage": None}
        assert found["usage"]["estimated"] is True
        assert found["provider"] == "up"

    def test_all_that_was_written_counts_for_the_estimate(self) -> None:
        message = {
            "role": "assistant",
            "content": "abcd",
            "reasoning_content": "abcd",
            "tool_calls": [
                {"function": {"name": "f", "arguments": "abcd"}},
                {"custom": {"name": "f", "input": "abcd"}},
                {"function": "odd"},
                1,
            ],
        }
        choices = [{"message": message}, {"message": None}, {"message": {"tool_calls": 1}}]
        found = orjson.loads(answer(orjson.dumps(whole_body(choices=choices))))
        assert found["usage"]["completion_tokens"] == 3

    def test_half_a_character_is_handed_on(self) -> None:
        body = orjson.dumps(whole_body(usage=USAGE)).replace(b"abcd", b"\\ud83d")
        assert answer(body) == b'{"provider":"up",' + body[1:]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"[]",
            b"{}",
            b'{"choices": []}',
            b'{"choices": {}}',
            b'{"choices": null, "usage": {}}',
            b'{"choices": [1]}',
            b'{"choices": [{}]',
            b'{"choices": [{}]} x',
        ],
    )
    def test_what_is_no_answer_is_malformed(self, body: bytes) -> None:
        with pytest.raises(UpstreamError, match=r"^up sent malformed data: "):
            answer(body)

    @pytest.mark.parametrize(
        "body", [b'{"error": {"message": "no"}}', b'{"error": "no", "choices": [{}]}']
    )
    def test_an_error_is_raised(self, body: bytes) -> None:
        with pytest.raises(UpstreamError, match=r"^up failed: no$"):
            answer(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "stop"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["index", "delta", "content", "tool_calls", "function", "custom", "input"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "choices": JSON
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": JSON,
                    "delta": JSON | st.fixed_dictionaries({"tool_calls": JSON}),
                    "finish_reason": JSON,
                    "message": JSON,
                },
            ),
            max_size=2,
        ),
        "usage": JSON,
        "id": JSON,
        "provider": JSON,
    },
)


def attempt(events: Iterable[Event]) -> tuple[bytes, bool]:
    """What came, and whether it ended well; only errors of ours are not well."""
    found = []
    try:
        for event in events:
            found.append(event)  # noqa: PERF402  (they count although it raises)
    except GatewayError:
        return passed(found), False
    return passed(found), True


@given(st.lists(CHUNKS), st.sampled_from(WISHES))
def test_whatever_the_chunks_the_fast_way_and_the_slow_one_agree(
    values: list[Json], wish: Json
) -> None:
    fast, slow = Relay(request(**wish), "up"), Relay(request(**wish), "up")
    for value in values:
        found, well = attempt(fast.feed(frame(value) * 2))
        other, also_well = attempt(slow.feed((COMMENT + frame(value)) * 2))
        assert (found, well) == (other.replace(COMMENT, b""), also_well)
        if not well:
            return
    assert attempt(fast.close())[1] == attempt(slow.close())[1]


@given(CHUNKS)
def test_no_body_raises_anything_but_an_error_of_ours(value: Json) -> None:
    data, well = attempt(Relay(request(), "up").body(orjson.dumps(value)))
    if well:
        found = orjson.loads(data)
        assert found["usage"]
        assert found | {"provider": None, "usage": None} == value | {
            "provider": None,
            "usage": None,
        }
