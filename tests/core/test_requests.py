"""A request independent of its wire format: what it needs, and what it keeps to itself."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Origin,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
)
from g4f_aio.core.models import Capability
from g4f_aio.core.requests import ChatRequest, OtherTool, Routing, Tool

HELLO = Message("user", (TextPart("Hello"),))


def asked(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest("m", messages or (HELLO,), **fields)


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, Capability.NONE),
        ({"stream": True}, Capability.NONE),
        ({"tools": (Tool("f"),)}, Capability.TOOLS),
        ({"tools": (OtherTool("x", {}),)}, Capability.TOOLS),
        ({"tools": (OtherTool("web_search", {}),)}, Capability.TOOLS),
        (
            {"tools": (Tool("f"), OtherTool("web_search_20250305", {}))},
            Capability.TOOLS | Capability.WEB_SEARCH,
        ),
        ({"options": {"functions": [{"name": "f"}]}}, Capability.TOOLS),
        ({"options": {"functions": []}}, Capability.NONE),
        ({"response_format": {"type": "text"}}, Capability.NONE),
        ({"response_format": {}}, Capability.NONE),
        ({"response_format": {"type": "json_object"}}, Capability.JSON_OBJECT),
        ({"response_format": {"type": "json_schema"}}, Capability.JSON_SCHEMA),
        ({"response_format": {"type": ["odd"]}}, Capability.NONE),
        ({"n": 1}, Capability.NONE),
        ({"n": 2}, Capability.SEVERAL_CHOICES),
        ({"options": {"logprobs": True}}, Capability.LOGPROBS),
        ({"options": {"logprobs": False}}, Capability.NONE),
        ({"options": {"modalities": ["text"]}}, Capability.NONE),
        ({"options": {"modalities": ["text", "audio"]}}, Capability.AUDIO_OUTPUT),
        ({"options": {"modalities": "audio"}}, Capability.NONE),
        (
            {"n": 2, "tools": (Tool("f"),), "options": {"logprobs": True}},
            Capability.SEVERAL_CHOICES | Capability.TOOLS | Capability.LOGPROBS,
        ),
    ],
)
def test_what_a_request_needs_besides_chat(fields: dict[str, Any], needs: Capability) -> None:
    assert asked(**fields).needs == Capability.CHAT | needs


@pytest.mark.parametrize(
    ("part", "needs"),
    [
        (TextPart("a"), Capability.NONE),
        (RefusalPart("a"), Capability.NONE),
        (OtherPart("video_url", {}), Capability.NONE),
        (ImagePart("a"), Capability.VISION),
        (AudioPart("a", "wav"), Capability.AUDIO_INPUT),
        (FilePart("a"), Capability.FILES),
    ],
)
def test_what_a_part_of_any_message_needs(part: Part, needs: Capability) -> None:
    request = asked(Message("user", (TextPart("a"), part)), HELLO)
    assert request.needs == Capability.CHAT | needs


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([HELLO], "Hello"),
        ([HELLO, Message("assistant", (TextPart("Hi"),))], "Hello"),
        ([HELLO, Message("user", (TextPart("a"), ImagePart("b")))], "a"),
        ([HELLO, Message("user")], ""),
        ([Message("system", (TextPart("a"),))], ""),
    ],
)
def test_the_last_text_of_the_user(messages: list[Message], text: str) -> None:
    assert asked(*messages).last_user_text == text


def test_secrets_are_not_shown() -> None:
    routing = Routing("Groq", api_keys={"": "sk-secret"}, proxy="http://user:pass@proxy")
    shown = repr(asked(routing=routing, raw={"user": "in the raw request"}))
    assert "Groq" in shown
    assert "sk-secret" not in shown
    assert "pass" not in shown
    assert "in the raw request" not in shown


def test_a_tool_knows_how_it_came_in_until_it_is_edited() -> None:
    tool = Tool("f", "d", {}, origin=Origin("wire", {"name": "f"}, ("f", "d", {}, None)))
    assert tool.wire("wire") == {"name": "f"}
    assert tool.wire("other") is None
    assert attrs.evolve(tool, description="e").wire("wire") is None
    assert Tool("f").wire("wire") is None
    assert tool == Tool("f", "d", {})


def test_headers_are_not_shown() -> None:
    assert "2023-06-01" not in repr(asked(headers={"anthropic-version": "2023-06-01"}))


def test_requests_do_not_share_their_options() -> None:
    assert asked().options is not asked().options
    assert asked().own is not asked().own
    assert asked().headers is not asked().headers
    assert Routing().api_keys is not Routing().api_keys
