"""Estimates for requests: everything that a model gets to read counts."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

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
from g4f_aio.core.request_tokens import (
    AUDIO,
    FILE,
    FRAME,
    IMAGE,
    LARGE,
    NAME,
    REPLY,
    Prompt,
    estimate_request,
    prompt_of,
)
from g4f_aio.core.requests import ChatRequest, OtherTool, Tool

LONG = "word " * 80  # 75 tokens
HELLO = Message("user", (TextPart("Hello"),))
REQUEST = ChatRequest("m", (HELLO,))


def of(**fields: Any) -> int:
    """What the fields add."""
    return estimate_request(attrs.evolve(REQUEST, **fields)) - estimate_request(REQUEST)


def test_a_text_is_estimated_as_any_text_is() -> None:
    assert estimate_request(REQUEST) == 1 + FRAME + REPLY
    assert of(messages=(HELLO, Message("assistant", (TextPart(LONG),)))) == 75 + FRAME


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (RefusalPart(LONG), 75),
        (ImagePart("https://a"), IMAGE),
        (FilePart(id="f"), IMAGE),
        (FilePart("data:application/pdf;base64,AA=="), IMAGE),
        (FilePart("x" * FILE * 10 * IMAGE), 10 * IMAGE),
        (AudioPart("x" * AUDIO * 7, "wav"), 7),
        (OtherPart("new", {"said": LONG}), 81),
        (OtherPart("new", {"data": "x" * LARGE}), IMAGE),
        (OtherPart("new", {"data": "x" * FILE * 10 * IMAGE}), 10 * IMAGE),
    ],
)
def test_parts(part: Part, tokens: int) -> None:
    assert of(messages=(Message("user", (TextPart("Hello"), part)),)) == tokens


def test_calls_and_thoughts_are_read_too() -> None:
    call = ToolCall("a", "f" * 200, "x" * 200)
    assert of(messages=(HELLO, Message("assistant", tool_calls=(call,)))) == 75 + FRAME
    assert of(messages=(HELLO, Message("assistant", reasoning=LONG))) == 75 + FRAME


def test_names_are_read_too() -> None:
    named = attrs.evolve(HELLO, name="bob")
    assert of(messages=(named,)) == 1 + NAME


def test_tools_are_read_too() -> None:
    tool = Tool("f" * 200, "d" * 200, {"x": "x" * 400})
    assert of(tools=(tool, tool)) == 2 * (75 + 80 + FRAME)
    assert of(tools=(Tool("f" * 400),)) == 75 + FRAME + 2
    assert of(tools=(OtherTool("x", {"x": "x" * 400}),)) == 80 + FRAME


def test_a_form_is_read_too() -> None:
    assert of(response_format={"x": "x" * 400}) == 80


def test_what_is_said_and_what_is_known_of_the_rest_are_apart() -> None:
    said = Message("user", (TextPart("Hello"), ImagePart("https://a")), reasoning="Hm")
    assert prompt_of(ChatRequest("m", (said,))) == Prompt(("Hello", "Hm"), FRAME + IMAGE + REPLY)


def test_a_deep_tool_is_read_to_its_ground() -> None:
    deep: Any = "x" * 400
    for _ in range(5000):
        deep = {"a": [deep, 1]}
    assert of(tools=(Tool("f", None, deep),)) > 5000 * 3 // 16 + 75


def test_what_is_no_json_is_no_failure() -> None:
    """A plug-in may have made it, or a client sent half a character."""
    assert of(tools=(Tool("f", parameters={"x": "\ud800" + LONG}),)) > 75
    assert of(tools=(Tool("f", parameters={"x": object()}),)) > 0
