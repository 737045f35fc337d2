"""Messages as turns and content blocks: nothing is lost, and what cannot be said is refused."""

from __future__ import annotations

import base64
import itertools
from typing import Any

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
    Role,
    TextPart,
    ToolCall,
)
from g4f_aio.dialects.anthropic_content import conversation, tool_input

PIXEL = base64.b64encode(b"\x89PNG").decode()


def said(role: Role, *parts: str | Part, **fields: Any) -> Message:
    """A message; a string is a text."""
    made = tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
    return Message(role, made, **fields)


def turns(*messages: Message) -> list[dict[str, Any]]:
    return list(conversation(messages).messages)


def block(part: Part) -> dict[str, Any]:
    """The block of one part."""
    (turn,) = turns(said("user", part))
    (found,) = turn["content"]
    assert isinstance(found, dict)
    return found


def test_a_text_stays_a_text() -> None:
    assert turns(said("user", "Hi")) == [{"role": "user", "content": "Hi"}]


def test_several_parts_are_blocks() -> None:
    assert turns(said("user", "What is", RefusalPart("this"), "?")) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is"},
                {"type": "text", "text": "this"},
                {"type": "text", "text": "?"},
            ],
        }
    ]


def test_system_and_developer_messages_go_to_the_front() -> None:
    talk = conversation(
        (
            said("system", "Be brief."),
            said("user", "Hi"),
            said("developer", "Be kind."),
            said("assistant", "Hello"),
        )
    )
    assert [one["text"] for one in talk.system] == ["Be brief.", "Be kind."]
    assert [one["role"] for one in talk.messages] == ["user", "assistant"]


def test_a_conversation_of_system_messages_alone_is_the_users() -> None:
    talk = conversation((said("system", "Say hello."),))
    assert talk.system == ()
    assert list(talk.messages) == [{"role": "user", "content": "Say hello."}]


@pytest.mark.parametrize("messages", [(), (said("user", " \n"),), (said("user"),)])
def test_a_conversation_of_nothing_is_refused(messages: tuple[Message, ...]) -> None:
    with pytest.raises(BadRequestError) as raised:
        conversation(messages)
    assert raised.value.param == "messages"


def test_messages_of_one_role_in_a_row_become_one() -> None:
    assert turns(said("user", "a"), said("user", "b"), said("assistant", "c")) == [
        {"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]},
        {"role": "assistant", "content": "c"},
    ]


def test_empty_texts_are_left_out() -> None:
    found = turns(said("user", "a"), said("assistant", ""), said("user", " ", "b"))
    assert found == [{"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]}]


def test_the_results_of_parallel_calls_come_together_and_first() -> None:
    calls = (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", ""))
    found = turns(
        said("user", "Go"),
        said("assistant", "I go.", tool_calls=calls),
        said("tool", "one", tool_call_id="a"),
        said("user", "and?"),
        said("tool", tool_call_id="b"),
        said("tool", "x", ImagePart(f"data:image/png;base64,{PIXEL}"), tool_call_id="c"),
    )
    image = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    assert found[1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I go."},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "one"},
                {"type": "tool_result", "tool_use_id": "b"},
                {
                    "type": "tool_result",
                    "tool_use_id": "c",
                    "content": [{"type": "text", "text": "x"}, {"type": "image", "source": image}],
                },
                {"type": "text", "text": "and?"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("given_id", "sent"),
    [("call_1-A", "call_1-A"), ("functions.f:0", "functions_f_0"), ("", "_")],
)
def test_ids_get_the_characters_that_the_api_takes(given_id: str, sent: str) -> None:
    call = ToolCall(given_id, "f", "{}")
    found = turns(said("assistant", tool_calls=(call,)), said("tool", "ok", tool_call_id=given_id))
    assert found[0]["content"][0]["id"] == sent
    assert found[1]["content"][0]["tool_use_id"] == sent


@pytest.mark.parametrize(
    ("arguments", "given_input"),
    [
        ("", {}),
        (" ", {}),
        ('{"a": [1]}', {"a": [1]}),
        ('{"a": 1', {"malformed_arguments": '{"a": 1'}),
        ("[1]", {"malformed_arguments": "[1]"}),
        ("null", {"malformed_arguments": "null"}),
        ('{"a": "\\ud83d"}', {"malformed_arguments": '{"a": "\\ud83d"}'}),
    ],
)
def test_arguments_become_an_object_and_nothing_of_them_is_lost(
    arguments: str, given_input: dict[str, Any]
) -> None:
    assert tool_input(arguments) == given_input


def test_the_text_of_a_custom_tool_is_an_input() -> None:
    call = ToolCall("a", "sh", "ls -l", "custom")
    found = turns(said("assistant", tool_calls=(call,)))
    assert found[0]["content"][0]["input"] == {"input": "ls -l"}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            ImagePart(f"data:image/jpeg;base64,{PIXEL}", "high"),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/jpeg", "data": PIXEL},
            },
        ),
        (
            ImagePart("data:IMAGE/PNG;charset=x;Base64,AA\r\n BB"),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AABB"},
            },
        ),
        (
            ImagePart("https://example.com/a.png"),
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        ),
        (
            FilePart("data:application/pdf;base64,JVBERi0=", filename="a.pdf"),
            {
                "type": "document",
                "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": "JVBERi0=",
                },
                "title": "a.pdf",
            },
        ),
        (
            FilePart("data:text/markdown;base64,w6Q="),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "ä"},
            },
        ),
        (
            FilePart("data:text/plain,a%20b"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a b"},
            },
        ),
        (
            FilePart("data:image/webp;base64,AA=="),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/webp", "data": "AA=="},
            },
        ),
        (
            FilePart("https://example.com/a.pdf", filename="A"),
            {
                "type": "document",
                "source": {"type": "url", "url": "https://example.com/a.pdf"},
                "title": "A",
            },
        ),
        (
            FilePart(id="file_01"),
            {"type": "document", "source": {"type": "file", "file_id": "file_01"}},
        ),
        (
            OtherPart("search_result", {"type": "search_result", "x": 1}),
            {"type": "search_result", "x": 1},
        ),
    ],
)
def test_the_block_of_a_part(part: Part, expected: dict[str, Any]) -> None:
    assert block(part) == expected


@pytest.mark.parametrize(
    ("part", "error"),
    [
        (ImagePart("ftp://example.com/a.png"), BadRequestError),
        (ImagePart("data:image/png;base64"), BadRequestError),
        (FilePart(), BadRequestError),
        (FilePart("JVBERi0="), BadRequestError),
        (FilePart("data:text/plain;base64,/w=="), BadRequestError),
        (FilePart("data:text/plain;base64,?"), BadRequestError),
        (FilePart("data:application/zip;base64,AA=="), UnsupportedError),
        (FilePart("data:,x"), UnsupportedError),
        (AudioPart("AA==", "wav"), UnsupportedError),
    ],
)
def test_what_the_api_has_no_block_for_is_refused_by_its_place(
    part: Part, error: type[BadRequestError]
) -> None:
    with pytest.raises(BadRequestError) as raised:
        conversation((said("user", "Look:"), said("user", "at", part)))
    assert type(raised.value) is error
    assert raised.value.param == "messages[1].content[1]"


def test_a_message_of_the_old_functions_is_refused() -> None:
    with pytest.raises(UnsupportedError) as raised:
        conversation((said("user", "Hi"), said("function", "ok", name="f")))
    assert raised.value.param == "messages[1].role"


def test_an_image_in_an_assistants_result_may_stand_alone() -> None:
    result = said("tool", ImagePart("https://a/b.png"), tool_call_id="a")
    (turn,) = turns(result)
    assert turn["content"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text(min_size=1)),
        min_size=1,
    )
)
def test_roles_alternate_and_every_text_is_there(messages: list[tuple[Role, str]]) -> None:
    made = [
        said(role, text, tool_call_id="a" if role == "tool" else None) for role, text in messages
    ]
    if not any(text.strip() for role, text in messages) and not any(
        r == "tool" for r, _ in messages
    ):
        return
    talk = conversation(tuple(made))
    roles = [turn["role"] for turn in talk.messages]
    assert all(one != other for one, other in itertools.pairwise(roles))
    everything = repr((talk.system, talk.messages))
    assert all(repr(text)[1:-1] in everything for _, text in messages if text.strip())
