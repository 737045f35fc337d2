"""Chat completions requests, in and out: what is unknown survives, what is ours stays here."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
    ToolCall,
)
from g4f_aio.core.requests import NO_ROUTING, ChatRequest, OtherTool, Routing, Sampling, Tool
from g4f_aio.dialects.openai_chat_request import (
    EXTENSIONS,
    decode,
    encode,
    encode_message,
)

Json = dict[str, Any]
HELLO = {"role": "user", "content": "Hello"}


def decoded(**fields: Any) -> ChatRequest:
    return decode(orjson.dumps({"messages": [HELLO]} | fields))


def message(**fields: Any) -> Message:
    return decoded(messages=[fields]).messages[0]


def test_the_smallest_request() -> None:
    request = decoded()
    assert request == ChatRequest(
        model="",
        messages=(Message("user", (TextPart("Hello"),)),),
        dialect="openai-chat",
        accept="openai-chat",
        raw={"messages": [HELLO]},
    )


def test_every_field_has_its_place() -> None:
    request = decoded(
        model="m",
        stream=True,
        stream_options={"include_usage": True},
        temperature=0.5,
        top_p=0.9,
        max_tokens=10,
        stop=["a", "b"],
        seed=7,
        presence_penalty=-1,
        frequency_penalty=1.5,
        n=2,
        tools=[{"type": "function", "function": {"name": "f"}}],
        tool_choice="auto",
        response_format={"type": "json_object"},
        logprobs=True,
        top_logprobs=3,
        user="u",
    )
    assert (request.model, request.stream, request.include_usage, request.n) == ("m", True, True, 2)
    assert request.sampling == Sampling(0.5, 0.9, 10, ("a", "b"), 7, -1, 1.5)
    assert request.tools == (Tool("f"),)
    assert request.tool_choice == "auto"
    assert request.response_format == {"type": "json_object"}
    assert request.options == {"logprobs": True, "top_logprobs": 3, "user": "u"}


@pytest.mark.parametrize(
    ("stop", "expected"), [(None, ()), ("x", ("x",)), ("", ("",)), ([], ()), (["x"], ("x",))]
)
def test_stop_is_one_text_or_several(stop: Any, expected: tuple[str, ...]) -> None:
    assert decoded(stop=stop).sampling.stop == expected


def test_the_newer_name_of_max_tokens_goes_first() -> None:
    assert decoded(max_tokens=5, max_completion_tokens=6).sampling.max_tokens == 6
    assert decoded(max_completion_tokens=6).sampling.max_tokens == 6


@pytest.mark.parametrize(
    ("options", "wish"),
    [
        (None, None),
        ({}, None),
        ({"include_usage": None}, None),
        ({"include_usage": True}, True),
        ({"include_usage": False}, False),
    ],
)
def test_the_wish_for_usage(options: Json | None, wish: bool | None) -> None:  # noqa: FBT001
    assert decoded(stream=True, stream_options=options).include_usage is wish


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("Hi", (TextPart("Hi"),)),
        ("", (TextPart(""),)),
        (None, ()),
        ([], ()),
        (
            [{"type": "text", "text": "a"}, {"type": "x"}],
            (TextPart("a"), OtherPart("x", {"type": "x"})),
        ),
    ],
)
def test_content_is_text_or_parts_or_nothing(content: Any, parts: tuple[Part, ...]) -> None:
    assert message(role="user", content=content).parts == parts


def test_content_may_be_missing() -> None:
    assert message(role="user").parts == ()


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_each_role(role: str) -> None:
    assert message(role=role, content="x").role == role


def test_the_fields_of_a_message() -> None:
    assert message(
        role="assistant",
        content="Hi",
        name="bot",
        refusal="No",
        reasoning_content="Hm",
        tool_calls=[{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    ) == Message(
        "assistant",
        (TextPart("Hi"), RefusalPart("No")),
        name="bot",
        tool_calls=(ToolCall("c", "f", "{}"),),
        reasoning="Hm",
    )
    assert message(role="tool", tool_call_id="c", content="4") == Message(
        "tool", (TextPart("4"),), tool_call_id="c"
    )


@pytest.mark.parametrize(
    "wire",
    [
        {"role": "assistant", "content": "x", "annotations": [1], "audio": {"id": "a"}},
        {"role": "assistant", "audio": {"id": "a"}},
        {"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}},
    ],
)
def test_unknown_keys_of_a_message_survive_a_translation_back(wire: Json) -> None:
    extra = {key: value for key, value in wire.items() if key not in ("role", "content")}
    assert message(**wire).extra == extra
    assert extra.items() <= encode_message(message(**wire)).items()


@pytest.mark.parametrize(
    ("fields", "param", "fault"),
    [
        ({"messages": []}, "messages", "$.messages: must hold at least one message"),
        ({"n": 0}, "n", "$.n: must be at least 1"),
        ({"n": -1}, "n", "$.n: must be at least 1"),
        ({"timeout": 0}, "timeout", "$.timeout: must be more than 0 seconds"),
        ({"timeout": -0.5}, "timeout", "$.timeout: must be more than 0 seconds"),
        ({"stream": "no"}, "stream", "$.stream: expected a boolean, got a string"),
    ],
)
def test_values_that_make_no_sense_are_refused(fields: Json, param: str, fault: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        decoded(**fields)
    assert caught.value.message == fault
    assert caught.value.param == param
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("media", [["data:,x", "x.png"]]),
        ("images", ["data:,x"]),
        ("image", "data:,x"),
    ],
)
def test_what_nothing_here_can_supply_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedError) as caught:
        decoded(**{name: value})
    assert (caught.value.status, caught.value.code) == (400, "unsupported_parameter")
    assert caught.value.param == name
    assert caught.value.message.startswith(f"$.{name}: ")


@pytest.mark.parametrize(
    ("value", "asked"),
    [(True, True), (" news  of\nit ", "news of it"), (False, False), ("", False)],
)
def test_a_search_of_the_web_is_for_this_gateway(value: Any, asked: Any) -> None:
    request = decoded(web_search=value)
    assert request.routing.web_search == asked
    assert (request.routing is NO_ROUTING) is (not asked)
    assert request.raw == {"messages": [HELLO]}
    assert "web_search" not in request.options


def test_what_is_not_asked_for_is_not_refused() -> None:
    assert decoded(web_search=False, media=[], images=None, image="").raw == {"messages": [HELLO]}


def test_the_callers_say_in_where_it_goes() -> None:
    request = decoded(
        provider="Groq",
        conversation_id="c",
        api_key="sk-secret",
        proxy="http://user:pass@proxy",
        timeout=3,
        download_media=False,
    )
    assert request.routing == Routing("Groq", "c", {"": "sk-secret"}, "http://user:pass@proxy", 3)
    assert request.raw == {"messages": [HELLO]}
    assert "sk-secret" not in repr(request)
    assert "user:pass" not in repr(request)
    assert decoded(api_key={"Groq": "sk-1", "": "sk-2"}).routing.api_keys == {
        "Groq": "sk-1",
        "": "sk-2",
    }


def test_empty_extensions_say_nothing() -> None:
    request = decoded(provider="", conversation_id="", api_key="", proxy="", timeout=None)
    assert request.routing == Routing()


def test_no_extension_is_sent_upstream() -> None:
    values: Json = dict.fromkeys(EXTENSIONS) | {"provider": "Groq", "api_key": "k", "timeout": 1}
    for raw in (decoded(**values), attrs.evolve(decoded(**values), raw=None)):
        assert EXTENSIONS.isdisjoint(encode(raw, "m"))


def test_an_object_as_provider_is_openrouters_and_goes_upstream() -> None:
    order = {"order": ["Groq"], "allow_fallbacks": False}
    request = decoded(provider=order, conversation_id="c")
    assert request.routing == Routing(conversation_id="c")
    assert request.raw == {"messages": [HELLO], "provider": order}
    assert encode(request, "m")["provider"] == order
    assert encode(attrs.evolve(request, raw=None), "m")["provider"] == order


def test_the_older_way_to_call_functions_goes_upstream() -> None:
    functions: Json = {"functions": [{"name": "f"}], "function_call": {"name": "f"}}
    request = decoded(**functions)
    assert functions.items() <= encode(request, "m").items()


def test_the_same_dialect_gets_the_clients_own_json_but_for_the_model() -> None:
    body = (
        b'{"top_k":40,"x_unknown":{"a":[1.50,-0.0,1e-7,"\xc3\xa9",null,18446744073709551615]},'
        b'"model":"gpt","messages":[{"role":"user","content":"Hi","x":[{}]}]}'
    )
    sent = encode(decode(body), "llama")
    assert orjson.dumps(sent) == orjson.dumps(orjson.loads(body)).replace(b'"gpt"', b'"llama"')


def test_a_request_for_the_very_model_is_sent_as_it_is() -> None:
    request = decoded(model="m")
    assert encode(request, "m") is request.raw


def test_the_clients_own_json_is_never_changed() -> None:
    request = decoded(model="a", stream=True, stream_options={"x": 1})
    before = orjson.dumps(request.raw)
    sent = encode(request, "b")
    assert sent["stream_options"] == {"x": 1, "include_usage": True}
    assert orjson.dumps(request.raw) == before


def test_another_dialects_json_is_not_sent() -> None:
    own: dict[str, Any] = {"model": "m", "system": "Be kind."}
    request = attrs.evolve(decoded(), dialect="anthropic-messages", raw=own)
    assert "system" not in encode(request, "m")


def test_unknown_fields_survive_when_the_clients_own_json_does_not() -> None:
    request = attrs.evolve(decoded(top_k=1, provider="work", web_search=None), raw=None)
    assert encode(request, "m")["top_k"] == 1
    assert "provider" not in encode(request, "m")


@pytest.mark.parametrize(
    ("wish", "ask", "expected"),
    [
        (None, True, {"include_usage": True}),
        (None, False, None),
        (True, True, {"include_usage": True}),
        (False, True, {"include_usage": False}),
        (True, False, {"include_usage": True}),
    ],
)
@pytest.mark.parametrize("rebuilt", [False, True])
def test_usage_is_asked_for_where_the_caller_left_it_open(
    *, wish: bool | None, ask: bool, expected: Json | None, rebuilt: bool
) -> None:
    options = {} if wish is None else {"stream_options": {"include_usage": wish}}
    request = decoded(stream=True, **options)
    if rebuilt:
        request = attrs.evolve(request, raw=None)
    assert encode(request, "m", ask_usage=ask).get("stream_options") == expected


def test_usage_is_not_asked_for_outside_of_streams() -> None:
    assert "stream_options" not in encode(decoded(), "m")


@pytest.mark.parametrize(
    ("asked", "name"),
    [({"max_tokens": 5}, "max_tokens"), ({"max_completion_tokens": 5}, "max_completion_tokens")],
)
def test_a_rebuilt_request_bounds_the_answer_by_the_name_the_client_used(
    asked: Json, name: str
) -> None:
    request = decoded(**asked)
    edited = attrs.evolve(request, raw=None, sampling=attrs.evolve(request.sampling, max_tokens=3))
    body = encode(edited, "m")
    assert {key: value for key, value in body.items() if key.startswith("max_")} == {name: 3}


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Message("user"), {"role": "user", "content": ""}),
        (Message("assistant"), {"role": "assistant", "content": ""}),
        (Message("tool", tool_call_id="c"), {"role": "tool", "content": "", "tool_call_id": "c"}),
        (
            Message("assistant", (RefusalPart("a"), RefusalPart("b"))),
            {"role": "assistant", "content": None, "refusal": "ab"},
        ),
        (
            Message("assistant", tool_calls=(ToolCall("c", "f", "{}"),)),
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
        ),
        (
            Message("user", (TextPart("a"), ImagePart("b"))),
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "image_url": {"url": "b"}},
                ],
            },
        ),
    ],
)
def test_a_message_as_it_is_written(message: Message, wire: Json) -> None:
    assert encode_message(message) == wire


TEXT = st.text(max_size=5)
NAME = st.text(min_size=1, max_size=5)
OBJECT = st.dictionaries(NAME, st.none() | st.integers(-9, 9) | TEXT, max_size=2)
NUMBER = st.none() | st.integers(-2, 2) | st.floats(-2, 2)
PARTS = st.one_of(
    st.builds(TextPart, TEXT),
    st.builds(ImagePart, TEXT, st.none() | TEXT),
    st.builds(AudioPart, TEXT, TEXT),
    st.builds(FilePart, st.none() | TEXT, st.none() | TEXT, st.none() | TEXT),
    OBJECT.map(lambda value: OtherPart("x-kind", value | {"type": "x-kind"})),
)
CALLS = st.builds(ToolCall, NAME, TEXT, TEXT, st.sampled_from(["function", "custom"]))
EXTRA = st.dictionaries(st.sampled_from(["audio", "cache_control", "x"]), OBJECT)
# said in more than one way on the wire: no parts at all, and refusals among the others
MESSAGES = st.builds(
    Message,
    st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"]),
    st.lists(PARTS, min_size=1, max_size=3).map(tuple)
    | st.builds(lambda text, refusal: (TextPart(text), RefusalPart(refusal)), TEXT, NAME),
    name=st.none() | TEXT,
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    tool_call_id=st.none() | TEXT,
    reasoning=st.none() | TEXT,
    extra=EXTRA,
)
SILENT = st.builds(
    Message, st.just("assistant"), tool_calls=st.lists(CALLS, min_size=1, max_size=2).map(tuple)
)
TOOLS = st.builds(
    Tool, TEXT, st.none() | TEXT, st.none() | OBJECT, st.none() | st.booleans()
) | OBJECT.map(lambda value: OtherTool("custom", value | {"type": "custom"}))
REQUESTS = st.builds(
    ChatRequest,
    model=TEXT,
    messages=st.lists(MESSAGES | SILENT, min_size=1, max_size=3).map(tuple),
    stream=st.booleans(),
    sampling=st.builds(
        Sampling,
        NUMBER,
        NUMBER,
        st.none() | st.integers(0, 9),
        st.lists(TEXT, max_size=2).map(tuple),
        st.none() | st.integers(-9, 9),
        NUMBER,
        NUMBER,
    ),
    tools=st.lists(TOOLS, max_size=2).map(tuple),
    tool_choice=st.none() | TEXT | OBJECT,
    response_format=st.none() | OBJECT,
    n=st.integers(1, 4),
    options=st.fixed_dictionaries(
        {},
        optional={
            "parallel_tool_calls": st.booleans(),
            "logit_bias": OBJECT,
            "logprobs": st.booleans(),
            "top_logprobs": st.integers(0, 20),
            "user": TEXT,
            "modalities": st.lists(TEXT),
            "prediction": OBJECT,
            "prompt_cache_key": TEXT,
            "provider": OBJECT,
        },
    ),
    dialect=st.just("openai-chat"),
    accept=st.just("openai-chat"),
)


@given(REQUESTS, st.none() | st.booleans())
def test_a_request_built_from_its_parts_means_the_same(
    request: ChatRequest,
    wish: bool | None,  # noqa: FBT001
) -> None:
    if request.stream:
        request = attrs.evolve(request, include_usage=wish)
    body = encode(request, request.model, ask_usage=False)
    again = decode(orjson.dumps(body))
    assert attrs.evolve(again, raw=None) == request
    assert again.raw == body


@given(REQUESTS)
def test_a_request_with_its_raw_cleared_builds_an_equal_body(request: ChatRequest) -> None:
    first = encode(request, "m")
    again = decode(orjson.dumps(first))
    assert encode(again, "m") == first
    assert encode(attrs.evolve(again, raw=None), "m") == first
