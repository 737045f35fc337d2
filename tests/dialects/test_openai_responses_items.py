"""Items as a conversation, and what of a request only its own kind of upstream can supply."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.messages import (
    ImagePart,
    Message,
    OtherPart,
    RefusalPart,
    TextPart,
    Thought,
    ToolCall,
)
from g4f_aio.dialects.openai_responses_items import (
    OUR_THOUGHT,
    is_reference,
    items_of,
    joined,
    messages,
    only_native,
    references,
    without_our_thoughts,
)
from g4f_aio.dialects.openai_responses_seals import seal
from g4f_aio.dialects.openai_responses_structure import structure
from g4f_aio.dialects.openai_responses_tools import Toolbox

Json = dict[str, Any]

USER: Json = {"role": "user", "content": "Hi"}
REFERENCE: Json = {"type": "item_reference", "id": "msg_1"}


def thought(text: str, **more: Any) -> Json:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}], **more}


def said(text: str) -> Json:
    return {"role": "assistant", "content": [{"type": "output_text", "text": text}]}


def call(name: str) -> Json:
    return {"type": "function_call", "call_id": f"call_{name}", "name": name, "arguments": "{}"}


def gave(name: str, output: Any = "12") -> Json:
    return {"type": "function_call_output", "call_id": f"call_{name}", "output": output}


def talk(*items: Json, tools: list[Json] | None = None) -> list[Message]:
    found = structure({"input": list(items)}).input
    assert isinstance(found, list)
    return list(messages(found, Toolbox(tools)))


def assistant(text: str = "", *calls: str, thoughts: str | None = None) -> Message:
    parts = (TextPart(text),) if text else ()
    called = tuple(ToolCall(f"call_{name}", name, "{}") for name in calls)
    return Message("assistant", parts, tool_calls=called, reasoning=thoughts)


def tool(name: str) -> Message:
    return Message("tool", (TextPart("12"),), tool_call_id=f"call_{name}")


# conversations


def test_messages_keep_their_roles_and_parts() -> None:
    image = {"type": "input_image", "image_url": "https://x"}
    found = talk(
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, image]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
    )
    assert found == [
        Message("system", (TextPart("Be brief"),)),
        Message("user", (TextPart("Hi"), ImagePart("https://x"))),
        Message("assistant", (RefusalPart("No"),)),
    ]


def test_instructions_at_the_beginning_are_one_text() -> None:
    texts = [{"type": "input_text", "text": text} for text in ("Be nice", "Be fair")]
    developer = {"role": "developer", "content": texts}
    later = {"role": "system", "content": "Be quick"}
    items = structure({"input": [developer, USER, later, developer]}).input
    assert isinstance(items, list)
    found = messages(items, Toolbox(None), "Be brief")
    assert [(message.role, message.text) for message in found] == [
        ("system", "Be brief\n\nBe nice\n\nBe fair"),
        ("user", "Hi"),
        ("system", "Be quick"),
        ("system", "Be nice\n\nBe fair"),
    ]
    assert all(len(message.parts) == 1 for message in found)


def test_instructions_that_are_no_text_stay_apart() -> None:
    pictured = [
        {"type": "input_text", "text": "As here"},
        {"type": "input_image", "image_url": "x"},
    ]
    found = talk({"role": "system", "content": "Be brief"}, {"role": "system", "content": pictured})
    assert [len(message.parts) for message in found] == [1, 2]


def test_what_a_model_does_in_one_go_is_one_message() -> None:
    found = talk(USER, thought("Hm."), said("I look."), call("a"), call("b"), gave("a"), gave("b"))
    assert found[1:] == [assistant("I look.", "a", "b", thoughts="Hm."), tool("a"), tool("b")]


def test_what_it_says_after_a_call_belongs_to_it() -> None:
    found = talk(call("a"), thought("Hm."), said("I look."), gave("a"), said("12"))
    assert found == [assistant("I look.", "a", thoughts="Hm."), tool("a"), assistant("12")]


def test_two_messages_without_calls_stay_two() -> None:
    assert talk(said("One"), said("Two")) == [assistant("One"), assistant("Two")]


def test_calls_after_results_are_another_message() -> None:
    found = talk(call("a"), gave("a"), thought("1"), thought("2"), call("b"), gave("b"))
    assert found == [
        assistant("", "a"),
        tool("a"),
        assistant("", "b", thoughts="1\n\n2"),
        tool("b"),
    ]


def test_thoughts_around_a_call_are_joined() -> None:
    found = talk(thought("1"), call("a"), thought("2"), call("b"))
    assert found == [assistant("", "a", "b", thoughts="1\n\n2")]


def test_thoughts_that_lead_to_nothing_are_left_out() -> None:
    assert talk(thought("Hm."), USER, thought("")) == [Message("user", (TextPart("Hi"),))]


def test_what_no_message_can_stand_for_is_left_out() -> None:
    assert talk(REFERENCE, {"type": "web_search_call"}, said("x")) == [assistant("x")]


def test_calls_of_tools_for_text_and_in_namespaces() -> None:
    function: Json = {"type": "function", "name": "read"}
    tools: list[Json] = [function, {"type": "namespace", "name": "fs", "tools": [function]}]
    custom = {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": 'a "b"'}
    (message,) = talk(custom, {**call("read"), "namespace": "fs"}, tools=tools)
    assert message.tool_calls == (
        ToolCall("c", "patch", '{"input":"a \\"b\\""}'),
        ToolCall("call_read", "fs__read", "{}"),
    )


def test_what_a_tool_shows_is_said_by_the_user() -> None:
    text, odd = {"type": "input_text", "text": "12"}, {"type": "odd"}
    image = {"type": "input_image", "image_url": "data:x"}
    calls = (call("a"), call("b"))
    shown = Message("user", (ImagePart("data:x"), ImagePart("data:x")))
    results = (gave("a", [text, image, odd]), gave("b", [image]))
    expected = [
        assistant("", "a", "b"),
        Message("tool", (TextPart("12"), OtherPart("odd", odd)), tool_call_id="call_a"),
        Message("tool", (), tool_call_id="call_b"),
        shown,
    ]
    assert talk(*calls, *results) == expected
    assert talk(*calls, *results, said("I see.")) == [*expected, assistant("I see.")]


# references


def test_a_text_is_a_message_of_the_user() -> None:
    assert items_of({"input": "Hi"}) == [{"type": "message", **USER}]
    assert items_of({"input": [USER]}) == [USER]
    assert items_of({}) == []


@pytest.mark.parametrize(
    ("item", "is_one"),
    [
        (REFERENCE, True),
        ({"id": "msg_1"}, True),
        (USER, False),
        ({**USER, "id": "msg_1"}, False),
        (call("a"), False),
    ],
)
def test_what_a_reference_is(item: Json, is_one: bool) -> None:  # noqa: FBT001
    assert is_reference(item) is is_one
    assert references({"input": [item]}) == (["msg_1"] if is_one else [])


def test_a_request_is_joined_with_what_it_refers_to() -> None:
    raw = {"model": "m", "previous_response_id": "resp_1", "input": [REFERENCE, {"id": "rs_1"}]}
    known = {"msg_1": said("x")}
    assert joined(raw, [USER], known) == {
        "model": "m",
        "input": [USER, said("x"), {"id": "rs_1"}],
    }
    assert joined(raw, None, known) == raw | {"input": [said("x"), {"id": "rs_1"}]}
    assert joined({"input": "Hi"}, [], {})["input"] == [{"type": "message", **USER}]


def test_our_own_thoughts_stay_here() -> None:
    ours, theirs = thought("a", id=f"{OUR_THOUGHT}1"), thought("b", id="rs_1")
    raw = {"input": [ours, USER, theirs, thought("c")]}
    assert without_our_thoughts(raw) == {"input": [USER, theirs, thought("c")]}
    for same in ({"input": [USER, theirs]}, {"input": "rs_local"}, {}):
        assert without_our_thoughts(same) is same


# what cannot be translated


def test_what_everybody_can_supply() -> None:
    raw = {
        "background": False,
        "conversation": None,
        "input": [
            {
                "type": "additional_tools",
                "tools": [
                    {"type": "custom", "name": "p"},
                    {
                        "type": "namespace",
                        "name": "m",
                        "tools": [{"type": "function", "name": "f"}],
                    },
                ],
            },
            USER,
            {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
            {"role": "user", "content": [{"type": "input_file", "file_data": "x"}]},
            thought("a", content=[{"type": "reasoning_text", "text": "x"}]),
            said("x"),
            call("a"),
            gave("a", [{"type": "input_text", "text": "x"}]),
            {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": ""},
            {"type": "custom_tool_call_output", "call_id": "c", "output": ""},
        ],
        "tools": [
            {"type": "function", "name": "f"},
            {"type": "namespace", "name": "n", "tools": [{"type": "custom", "name": "p"}]},
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "f"}],
        },
    }
    assert list(only_native(raw)) == []
    for choice in (None, "auto", {"type": "custom", "name": "p"}):
        assert list(only_native(raw | {"tool_choice": choice})) == []
    assert list(only_native({"input": "Hi"})) == []
    file = {"type": "input_file", "file_url": "https://a/b.pdf"}
    assert list(only_native({"input": [{"role": "user", "content": [file]}]})) == []


@pytest.mark.parametrize(
    ("fields", "path", "what"),
    [
        ({"background": True}, "background", "background"),
        ({"conversation": "conv_1"}, "conversation", "conversation"),
        ({"prompt": {"id": "p"}}, "prompt", "prompt"),
        ({"previous_response_id": "r"}, "previous_response_id", "previous_response_id"),
        ({"context_management": [{"type": "compaction"}]}, *["context_management"] * 2),
        ({"moderation": {"model": "m"}}, "moderation", "moderation"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]", "web_search"),
        (
            {"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "mcp"}]}]},
            "tools[0].tools[0]",
            "mcp",
        ),
        (
            {"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "namespace"}]}]},
            "tools[0].tools[0]",
            "namespace",
        ),
        (
            {"input": [{"type": "additional_tools", "tools": [{"type": "tool_search"}]}]},
            "input[0].tools[0]",
            "tool_search",
        ),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice", "file_search"),
        ({"tool_choice": {}}, "tool_choice", "None"),
        (
            {"tool_choice": {"type": "allowed_tools", "tools": [{"type": "mcp"}]}},
            "tool_choice.tools[0]",
            "mcp",
        ),
        ({"tool_choice": {"type": "allowed_tools", "tools": [1]}}, "tool_choice.tools[0]", "None"),
        ({"input": [USER, REFERENCE]}, "input[1]", "item_reference"),
        ({"input": [{"id": "msg_1"}]}, "input[0]", "item_reference"),
        ({"input": [{"type": "shell_call", "content": [1]}]}, "input[0]", "shell_call"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0]",
            "input_image",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0]",
            "input_file",
        ),
        ({"input": [gave("a", [{"type": "new"}])]}, "input[0].output[0]", "new"),
        # of a type that nobody knows, so nobody has looked at its content
        ({"input": [{"type": "", "role": "user", "content": [{"type": {}}]}]}, "input[0]", ""),
    ],
)
def test_what_only_native_upstreams_can_supply(fields: Json, path: str, what: str) -> None:
    assert list(only_native(fields)) == [(path, what)]


# seals


SEALED = Thought("Hm.", "s", by="work")


def test_sealed_thoughts_go_with_what_they_led_to() -> None:
    first = thought("Hm.", encrypted_content=seal("work", (SEALED,)))
    second = thought("", encrypted_content=seal("work", (Thought("", None, "r"),)))
    user, called, result, answered = talk(
        USER, first, second, call("f"), call("g"), gave("f"), first, said("12")
    )
    assert (user.thoughts, result.thoughts) == ((), ())
    assert called.thoughts == (SEALED, Thought("", None, "r", by="work"))
    assert [one.name for one in called.tool_calls] == ["f", "g"]
    assert (called.reasoning, answered.thoughts) == ("Hm.", (SEALED,))


def test_those_of_others_are_left_to_them() -> None:
    assert talk(thought("Hm.", encrypted_content="gAAAAABo"), said("12"))[0].thoughts == ()


def test_no_upstream_gets_seals_that_were_put_on_here() -> None:
    ours = thought("Hm.", encrypted_content=seal("work", (SEALED,)))
    theirs = thought("Hm.", encrypted_content="gAAAAABo")
    raw = {"input": [USER, ours, theirs, {"type": "reasoning", "id": f"{OUR_THOUGHT}1"}]}
    assert without_our_thoughts(raw) == {"input": [USER, theirs]}
