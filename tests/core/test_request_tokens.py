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
from g4f_aio.core.request_tokens import AUDIO, FILE, FRAME, IMAGE, estimate_request
from g4f_aio.core.requests import ChatRequest, OtherTool, Tool

LONG = "word " * 80
HELLO = Message("user", (TextPart("Hello"),))
REQUEST = ChatRequest("m", (HELLO,))


def of(**fields: Any) -> int:
    """What the fields add."""
    return estimate_request(attrs.evolve(REQUEST, **fields)) - estimate_request(REQUEST)


def test_a_text_is_estimated_as_any_text_is() -> None:
    assert estimate_request(REQUEST) == 2 + FRAME + FRAME // 2
    assert of(messages=(HELLO, Message("assistant", (TextPart(LONG),)))) == 100 + FRAME


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (RefusalPart(LONG), 100),
        (ImagePart("https://a"), IMAGE),
        (FilePart(id="f"), IMAGE),
        (FilePart("data:application/pdf;base64,AA=="), IMAGE),
        (FilePart("x" * FILE * 10 * IMAGE), 10 * IMAGE),
        (AudioPart("x" * AUDIO * 7, "wav"), 7),
        (OtherPart("new", {"said": "x" * 389}), 100),
    ],
)
def test_parts(part: Part, tokens: int) -> None:
    assert of(messages=(Message("user", (TextPart("Hello"), part)),)) == tokens


def test_calls_and_thoughts_are_read_too() -> None:
    call = ToolCall("a", "f" * 200, "x" * 200)
    assert of(messages=(HELLO, Message("assistant", tool_calls=(call,)))) == 100 + FRAME
    assert of(messages=(HELLO, Message("assistant", reasoning=LONG))) == 100 + FRAME


def test_tools_are_read_too() -> None:
    tool = Tool("f" * 200, "d" * 200, {"x": "x" * 392})
    assert of(tools=(tool, tool)) == 2 * (200 + FRAME)
    assert of(tools=(Tool("f" * 400),)) == 100 + FRAME + 1
    assert of(tools=(OtherTool("x", {"x": "x" * 392}),)) == 100 + FRAME


def test_a_form_is_read_too() -> None:
    assert of(response_format={"x": "x" * 392}) == 100


def test_what_is_no_json_is_no_failure() -> None:
    """A plug-in may have made it."""
    assert of(tools=(Tool("f", parameters={"x": object()}),)) > 0
