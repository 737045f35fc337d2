"""Requests of the Responses API: what they ask for in the core's words, and what goes upstream."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.core.messages import Message, TextPart
from g4f_aio.core.models import Capability
from g4f_aio.core.requests import NO_ROUTING, ChatRequest, OtherTool, Routing, Sampling, Tool
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_responses_events import NAME
from g4f_aio.dialects.openai_responses_items import OUR_THOUGHT
from g4f_aio.dialects.openai_responses_request import continued, decode, encode

Json = dict[str, Any]

HI = Message("user", (TextPart("Hi"),))
FUNCTION: Json = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def asked(**fields: Any) -> ChatRequest:
    return decode(orjson.dumps({"input": "Hi"} | fields))


def test_the_least_of_requests() -> None:
    request = asked()
    assert (request.model, request.messages, request.stream) == ("", (HI,), False)
    assert (request.dialect, request.accept, request.raw) == (NAME, NAME, {"input": "Hi"})
    assert (request.sampling, request.tools, request.tool_choice) == (Sampling(), (), None)
    assert (request.options, request.response_format) == ({}, None)
    assert request.routing is NO_ROUTING
    assert request.needs == Capability.CHAT


def test_instructions_go_first() -> None:
    request = asked(instructions="Be brief", input=[{"role": "developer", "content": "Be nice"}])
    assert request.messages == (Message("system", (TextPart("Be brief\n\nBe nice"),)),)
    assert asked(instructions="").messages == (HI,)


def test_everything_has_its_place() -> None:
    request = asked(
        model="gpt",
        stream=True,
        temperature=0.5,
        top_p=1,
        max_output_tokens=7,
        tools=[FUNCTION, {"type": "web_search", "x": 1}],
        tool_choice={"type": "function", "name": "f"},
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "high", "format": {"type": "json_object"}},
        include=["message.output_text.logprobs"],
        top_logprobs=2,
        user="u",
        service_tier="flex",
    )
    assert (request.model, request.stream) == ("gpt", True)
    assert request.sampling == Sampling(0.5, 1, 7)
    assert request.tools == (
        Tool("f", None, {"type": "object"}),
        OtherTool("web_search", {"type": "web_search", "x": 1}),
    )
    assert request.tool_choice == {"type": "function", "function": {"name": "f"}}
    assert request.response_format == {"type": "json_object"}
    assert request.options == {
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "verbosity": "high",
        "logprobs": True,
        "top_logprobs": 2,
        "user": "u",
        "service_tier": "flex",
    }
    assert Capability.TOOLS | Capability.JSON_OBJECT | Capability.LOGPROBS in request.needs


def test_hints_that_only_openai_acts_on_go_nowhere_else() -> None:
    request = asked(
        metadata={"a": "b"},
        prompt_cache_key="k",
        safety_identifier="s",
        service_tier="auto",
        store=True,
        truncation="disabled",
        include=["reasoning.encrypted_content"],
        parallel_tool_calls=True,
        top_logprobs=3,
        x_unknown=1,
    )
    assert request.options == {}
    assert request.raw is not None
    assert request.raw["prompt_cache_key"] == "k"
    assert request.raw["x_unknown"] == 1


def test_a_schema_for_the_answer() -> None:
    schema: Json = {"type": "object"}
    given_ = {"type": "json_schema", "name": "n", "schema": schema, "strict": True}
    request = asked(text={"format": given_})
    assert request.response_format == {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": schema, "strict": True},
    }
    assert Capability.JSON_SCHEMA in request.needs
    for plain in ({}, {"format": None}, {"format": {"type": "text"}}):
        assert asked(text=plain).response_format is None


def test_tools_that_come_among_the_items_are_offered() -> None:
    tool = {"type": "function", "name": "f"}
    more = {"type": "additional_tools", "role": "developer", "tools": [tool]}
    request = asked(input=[more, {"role": "user", "content": "Hi"}])
    assert [one.name for one in request.tools if isinstance(one, Tool)] == ["f"]
    assert [message.role for message in request.messages] == ["user"]
    with pytest.raises(BadRequestError) as caught:
        asked(input=[more | {"tools": [{"type": "function"}]}])
    assert caught.value.param == "input[0].tools[0].name"


def test_only_allowed_tools_are_offered() -> None:
    other = {**FUNCTION, "name": "g"}
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function"}]}
    allowed["tools"] = [{"type": "function", "name": "g"}]
    request = asked(tools=[FUNCTION, other], tool_choice=allowed)
    assert request.tools == (Tool("g", None, {"type": "object"}),)
    assert request.tool_choice == "required"


@pytest.mark.parametrize(
    ("fields", "param", "what"),
    [
        ({"input": None}, "input", "required field missing"),
        ({"input": ""}, "input", "must not be empty"),
        ({"input": []}, "input", "must not be empty"),
        ({"max_output_tokens": 0}, "max_output_tokens", "must be at least 1"),
        ({"timeout": 0}, "timeout", "more than 0 seconds"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type", "must be one of text"),
        ({"text": {"format": {}}}, "text.format.type", "must be one of text"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format", "needs name and schema"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name", "required"),
        ({"stream": "no"}, "stream", "expected a boolean"),
    ],
)
def test_what_is_wrong_is_named(fields: Json, param: str, what: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        asked(**fields)
    assert (caught.value.param, caught.value.status) == (param, 400)
    assert f"$.{param}: " in caught.value.message
    assert what in caught.value.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"input"'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        decode(body)


@pytest.mark.parametrize("name", ["previous_response_id", "prompt", "conversation"])
def test_an_input_may_be_elsewhere(name: str) -> None:
    assert decode(orjson.dumps({name: "x"})).messages == ()


# extensions


def test_extensions_say_where_it_goes_and_stay_here() -> None:
    request = asked(
        provider="up",
        api_key="k",
        proxy="http://p",
        timeout=5,
        conversation_id="c",
        cache=False,
        emulate=True,
    )
    assert request.routing == Routing("up", "c", {"": "k"}, "http://p", 5, False, True)  # noqa: FBT003
    assert request.raw == {"input": "Hi"}
    assert asked(api_key={"up": "k"}).routing.api_keys == {"up": "k"}
    assert asked(provider="", proxy="", conversation_id="").routing is NO_ROUTING


@pytest.mark.parametrize(("value", "query"), [(True, True), ("news", "news"), (False, False)])
def test_a_search_of_the_web_is_for_this_gateway(value: Any, query: Any) -> None:
    request = asked(web_search=value)
    assert request.routing.web_search == query
    assert request.raw == {"input": "Hi"}
    with pytest.raises(BadRequestError, match="expected a boolean or a string"):
        asked(web_search=1)


def test_a_provider_that_is_an_object_is_no_extension() -> None:
    request = asked(provider={"order": ["a"]}, timeout=5)
    assert request.routing.provider is None
    assert request.raw == {"input": "Hi", "provider": {"order": ["a"]}}


# upstream


def test_the_request_goes_upstream_as_it_came() -> None:
    request = asked(model="gpt", x_unknown=[1])
    assert encode(request, "gpt") is request.raw
    assert encode(request, "other") == {"model": "other", "input": "Hi", "x_unknown": [1]}


def test_our_own_thoughts_do_not() -> None:
    ours = {"type": "reasoning", "id": f"{OUR_THOUGHT}1", "summary": []}
    message = {"role": "user", "content": "Hi"}
    assert encode(asked(model="m", input=[ours, message]), "m")["input"] == [message]


def test_only_its_own_requests_can_be_handed_on() -> None:
    chat = OPENAI_CHAT.decode_request(b'{"messages": [{"role": "user", "content": "Hi"}]}')
    with pytest.raises(UnsupportedError):
        encode(chat, "m")


# going on


def test_a_request_goes_on_from_what_went_before() -> None:
    before = [
        {"role": "user", "content": "First"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    given_ = {"type": "function_call_output", "call_id": "c", "output": "12"}
    request = asked(
        instructions="Be brief",
        previous_response_id="resp_1",
        input=[given_, {"type": "item_reference", "id": "msg_1"}],
        tools=[FUNCTION],
        provider="up",
    )
    known = {"msg_1": {"role": "user", "content": "More"}}
    found = continued(request, before, known)
    assert [message.role for message in found.messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert found.raw is not None
    assert found.raw["input"] == [*before, given_, known["msg_1"]]
    assert "previous_response_id" not in found.raw
    assert (found.routing, found.tools) == (request.routing, request.tools)
    assert (found.dialect, found.accept) == (NAME, NAME)
    still = continued(request, None, known)
    assert still.raw is not None
    assert still.raw["previous_response_id"] == "resp_1"


# what chat completions make of it

TEXT = st.text(min_size=1, max_size=8)
MESSAGES = st.one_of(
    st.builds(lambda text: {"role": "user", "content": text}, TEXT),
    st.builds(
        lambda text: {"role": "assistant", "content": [{"type": "output_text", "text": text}]}, TEXT
    ),
)
CALLS = st.builds(
    lambda number, arguments: [
        {
            "type": "function_call",
            "call_id": f"c{number}",
            "name": "f",
            "arguments": orjson.dumps(arguments).decode(),
        },
        {"type": "function_call_output", "call_id": f"c{number}", "output": "12"},
    ],
    st.integers(0, 99),
    st.dictionaries(TEXT, TEXT, max_size=2),
)
THOUGHTS = st.builds(
    lambda text, more: [
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}]},
        {"role": "assistant", "content": more},
    ],
    TEXT,
    TEXT,
)


@given(st.lists(st.one_of(MESSAGES.map(lambda one: [one]), CALLS, THOUGHTS), min_size=1))
def test_translated_and_read_again_it_says_the_same(turns: list[list[Json]]) -> None:
    request = asked(model="m", input=[item for turn in turns for item in turn], tools=[FUNCTION])
    sent = orjson.dumps(OPENAI_CHAT.encode_request(request, "m"))
    again = OPENAI_CHAT.decode_request(sent)
    assert again.messages == request.messages
    assert again.tools == request.tools
