"""Messages requests as clients send them: everything in them has its place, or is named."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.messages import FilePart, ImagePart, Message, OtherPart, TextPart, ToolCall
from g4f_aio.core.request_tokens import estimate_request
from g4f_aio.core.requests import ChatRequest, OtherTool, Sampling, Tool
from g4f_aio.dialects.anthropic_errors import NAME
from g4f_aio.dialects.anthropic_incoming import decode, decode_prompt
from g4f_aio.dialects.anthropic_request import Habits, encode
from g4f_aio.dialects.anthropic_schema import Body
from g4f_aio.dialects.anthropic_thinking import SEAL
from g4f_aio.dialects.foreign import ForeignError
from g4f_aio.dialects.openai_chat import OPENAI_CHAT

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def decoded(**fields: Any) -> ChatRequest:
    return decode(orjson.dumps({"max_tokens": 9, "messages": [HELLO]} | fields))


def test_the_smallest_request() -> None:
    assert decoded() == ChatRequest(
        model="",
        messages=(Message("user", (TextPart("Hello"),)),),
        sampling=Sampling(max_tokens=9),
        dialect=NAME,
        accept=NAME,
        raw={"max_tokens": 9, "messages": [HELLO]},
    )


def test_every_field_has_its_place() -> None:
    schema = {"type": "object"}
    request = decoded(
        model="m",
        stream=True,
        system=[{"type": "text", "text": "Be brief."}],
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["x"],
        tools=[{"name": "f", "input_schema": schema}, SEARCH],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 8000},
        output_config={"format": {"type": "json_schema", "schema": schema}},
        metadata={"user_id": "u"},
        service_tier="standard_only",
    )
    assert request.model == "m"
    assert request.stream
    assert request.messages[0] == Message("system", (TextPart("Be brief."),))
    assert request.sampling == Sampling(0.5, 0.9, 9, ("x",))
    assert request.tools == (Tool("f", None, schema), OtherTool("web_search_20250305", SEARCH))
    assert request.tool_choice == "required"
    assert request.response_format == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }
    assert request.options == {
        "reasoning_effort": "medium",
        "user": "u",
        "parallel_tool_calls": False,
        "service_tier": "default",
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "any"}, "required"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_choices_of_tools_in(choice: Json, expected: object) -> None:
    assert decoded(tool_choice=choice).tool_choice == expected


def test_a_choice_of_a_tool_without_a_name_is_wrong() -> None:
    with pytest.raises(BadRequestError) as raised:
        decoded(tool_choice={"type": "tool"})
    assert raised.value.param == "tool_choice.name"


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "disabled"}}, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, "low"),
        ({"output_config": {"effort": "max"}}, "xhigh"),
        ({"output_config": {"effort": "high"}}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"output_config": {"effort": None, "format": None}}, None),
    ],
)
def test_effort_in(fields: Json, effort: str | None) -> None:
    assert decoded(**fields).options.get("reasoning_effort") == effort


def test_blocks_become_messages_of_their_roles() -> None:
    request = decoded(
        messages=[
            HELLO,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": SEAL},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                    {"type": "tool_use", "id": "b", "name": "g", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                    {"type": "tool_result", "tool_use_id": "b"},
                    {"type": "text", "text": "So?"},
                    {"type": "new"},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]},
            {"role": "assistant", "content": []},
            {"role": "system", "content": "Hurry."},
        ]
    )
    assert request.messages[1:] == (
        Message(
            "assistant",
            (TextPart("I look."),),
            tool_calls=(ToolCall("a", "f", "{}"), ToolCall("b", "g", '{"x":1}')),
            reasoning="Hm",
        ),
        Message("tool", (TextPart("1"),), tool_call_id="a"),
        Message("tool", (), tool_call_id="b"),
        Message("user", (TextPart("So?"), OtherPart("new", {"type": "new"}))),
        Message("tool", (), tool_call_id="c"),
        Message("assistant"),
        Message("system", (TextPart("Hurry."),)),
    )


def test_no_messages_are_refused() -> None:
    with pytest.raises(BadRequestError) as raised:
        decoded(messages=[])
    assert raised.value.param == "messages"


@pytest.mark.parametrize(
    ("block", "reasoning"),
    [
        ({"type": "thinking", "thinking": "Hm", "signature": SEAL}, "Hm"),
        ({"type": "thinking", "thinking": "Hm", "signature": ""}, "Hm"),
        ({"type": "thinking", "thinking": "Hm", "signature": "s"}, None),
        ({"type": "redacted_thinking", "data": "d"}, None),
    ],
)
def test_a_sealed_thought_is_for_the_model_that_wrote_it(block: Json, reasoning: str) -> None:
    (message,) = decoded(messages=[{"role": "assistant", "content": [block]}]).messages
    assert message.reasoning == reasoning
    assert message.wire(NAME) == [block]


def test_what_only_the_apis_own_servers_read_is_left_to_them() -> None:
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "Found."},
    ]
    (message,) = decoded(messages=[{"role": "assistant", "content": blocks}]).messages
    assert message == Message("assistant", (TextPart("Found."),))
    assert message.wire(NAME) == blocks


def test_what_a_result_shows_is_shown_by_the_user() -> None:
    """In other APIs a result is text."""
    image = {"type": "image", "source": {"type": "url", "url": "https://a"}}
    text = {"type": "text", "text": "A picture:"}
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": [text, image]},
        {"type": "tool_result", "tool_use_id": "b", "content": "ok"},
    ]
    so = {"type": "text", "text": "So?"}
    first, second, shown = decoded(messages=[{"role": "user", "content": [*results, so]}]).messages
    assert first == Message("tool", (TextPart("A picture:"),), tool_call_id="a")
    assert second == Message("tool", (TextPart("ok"),), tool_call_id="b")
    assert shown == Message("user", (ImagePart("https://a"), TextPart("So?")))
    assert [message.wire(NAME) for message in (first, second, shown)] == [
        results[:1],
        results[1:],
        [so],
    ]
    *_, shown = decoded(messages=[{"role": "user", "content": results}]).messages
    assert shown == Message("user", (ImagePart("https://a"),))
    assert shown.wire(NAME) == []


def test_files_in_results_are_shown_by_the_user_too() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "AA=="}
    result = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": [{"type": "document", "source": source}, {"type": "new"}],
    }
    first, shown = decoded(messages=[{"role": "user", "content": [result]}]).messages
    assert first.parts == (OtherPart("new", {"type": "new"}),)
    assert shown.parts == (FilePart("data:application/pdf;base64,AA=="),)


def test_a_system_prompt_may_be_a_text_or_blocks_or_nothing() -> None:
    blocks = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]
    assert decoded(system="a").messages[0] == Message("system", (TextPart("a"),))
    assert decoded(system=blocks).messages[0] == Message("system", (TextPart("a"),))
    assert decoded(system=blocks).messages[0].wire(NAME) == blocks
    nothings: list[Any] = ["", [], None]
    for nothing in nothings:
        assert len(decoded(system=nothing).messages) == 1


def test_the_format_may_be_said_in_its_older_place() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    expected = decoded(output_config={"format": form}).response_format
    assert decoded(output_format=form).response_format == expected
    assert decoded(output_format={"type": "new"}).response_format is None


def test_what_has_no_place_stays_with_the_request() -> None:
    own: Json = {"thinking": {"type": "adaptive"}, "container": "c", "top_k": 5}
    request = decoded(**own, temperature=0.5, stream=True)
    assert request.own == own
    assert request.options == {"top_k": 5}


def test_a_long_name_of_a_user_is_shortened_but_stays_one() -> None:
    short, long, other = "u" * 64, "u" * 65, "v" * 65
    names = [decoded(metadata={"user_id": name}).options["user"] for name in (short, long, other)]
    assert names[0] == short
    assert len(set(names)) == 3
    assert all(len(name) == 64 for name in names)
    assert decoded(metadata={}).options == {}


@pytest.mark.parametrize("tier", ["auto", None])
def test_a_tier_that_says_nothing_is_not_said(tier: str | None) -> None:
    assert decoded(service_tier=tier).options == {}


# prompts to be counted


def test_a_prompt_is_read_like_a_request() -> None:
    fields = {"model": "m", "messages": [HELLO], "system": "a", "tools": [SEARCH], "new": 1}
    request = decode_prompt(orjson.dumps(fields))
    whole = decode(orjson.dumps(fields | {"max_tokens": 9}))
    assert (request.model, request.messages, request.tools) == ("m", whole.messages, whole.tools)
    assert request.raw == fields
    assert request.own == {"new": 1}
    assert request.sampling == Sampling()


def test_a_prompt_without_messages_is_refused() -> None:
    with pytest.raises(BadRequestError) as raised:
        decode_prompt(b'{"messages": []}')
    assert raised.value.param == "messages"


# whatever comes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(0, 2) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KINDS = st.sampled_from(
    ["text", "image", "document", "search_result", "tool_use", "tool_result", "thinking", "new"]
)
SOURCES = st.dictionaries(
    st.sampled_from(["type", "data", "media_type", "url", "file_id", "content"]),
    st.sampled_from(["base64", "text", "url", "file", "content", "image/png", "AA=="]) | VALUES,
)
BLOCKS = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "text": st.text(max_size=9),
        "source": SOURCES | VALUES,
        "title": VALUES,
        "id": st.text(max_size=5),
        "name": st.text(max_size=5),
        "input": VALUES,
        "tool_use_id": st.text(max_size=5),
        "content": st.text(max_size=9) | st.lists(st.just({"type": "text", "text": "a"})) | VALUES,
        "thinking": st.text(max_size=9),
        "signature": st.sampled_from(["", SEAL, "s"]),
    },
)
TALKS = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "system"]),
            "content": st.text(max_size=9) | st.lists(BLOCKS, max_size=4),
        }
    ),
    min_size=1,
    max_size=4,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [*(field.name for field in attrs.fields(Body)), "mcp_servers", "container", "x_new"]
    ),
    VALUES,
    max_size=3,
)


@given(TALKS | VALUES, FIELDS)
def test_whatever_comes_is_read_or_refused_by_name(talk: Any, fields: Json) -> None:
    body = {"max_tokens": 9, "messages": talk} | fields
    try:
        request = decode(orjson.dumps(body))
    except BadRequestError as error:
        refused = error.param
        assert refused
        return
    assert request.raw == body
    assert encode(request, "m", Habits())["messages"] is not None
    assert estimate_request(request) > 0
    # what no other API has a word for is refused
    with suppress(ForeignError):
        chat = OPENAI_CHAT.encode_request(request, "m")
        assert len(chat["messages"]) == len(request.messages)


def a_block(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """A block as the API would take it, and something of a later version in it."""
    return st.fixed_dictionaries({"type": st.just(kind), **fields}, optional={"x_new": VALUES})


TEXT = st.text(max_size=9)
GOOD = st.one_of(
    a_block("text", text=TEXT),
    a_block("image", source=SOURCES),
    a_block("tool_use", id=TEXT, name=TEXT, input=st.dictionaries(TEXT, VALUES, max_size=2)),
    a_block("tool_result", tool_use_id=TEXT, content=TEXT | st.lists(a_block("text", text=TEXT))),
    a_block("thinking", thinking=TEXT, signature=st.sampled_from(["s", SEAL])),
    a_block("redacted_thinking", data=TEXT),
    a_block("server_tool_use", input=VALUES),
)


@given(st.lists(st.lists(GOOD, min_size=1, max_size=4), min_size=1, max_size=4))
def test_what_was_read_is_written_again_block_by_block(contents: list[list[Json]]) -> None:
    roles = ("user", "assistant")
    talk = [{"role": roles[at % 2], "content": one} for at, one in enumerate(contents)]
    request = decode(orjson.dumps({"max_tokens": 9, "messages": [HELLO, *talk], "model": "m"}))
    written = encode(attrs.evolve(request, raw=None), "m", Habits())["messages"]
    found = [block for one in written for block in blocks_of(one["content"])]
    everything: list[Json] = [HELLO, *talk]
    expected = [
        block
        for one in everything
        for block in blocks_of(one["content"])
        if one["role"] == "user" or block.get("signature") != SEAL
    ]
    assert in_order(found) == in_order(expected)


def blocks_of(content: Any) -> list[Json]:
    """A content as blocks."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def in_order(blocks: list[Json]) -> list[bytes]:
    """Blocks in an order that does not depend on where they were."""
    return sorted(orjson.dumps(block, option=orjson.OPT_SORT_KEYS) for block in blocks)
