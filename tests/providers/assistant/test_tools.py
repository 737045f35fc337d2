from __future__ import annotations

import pytest

from g4f_aio.providers.assistant.question import Question, one_line
from g4f_aio.providers.assistant.tools import exact_tools


def answering(text: str) -> str | None:
    """The first tool that has an answer, by the line that names it."""
    question = Question(text, one_line(text))
    for tool in exact_tools():
        found = tool(question)
        if found is not None:
            return found.rpartition("Tool: ")[2].split()[0]
    return None


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("12*(3+4)", "calculator"),
        ("5 km in miles", "units"),
        ("2024-12-24", "dates"),
        ("2024-01-01 + 90 days", "dates"),
        ("sha256 of {}", "sha256"),
        ("base64 encode 1+1", "base64"),
        ("[1, 2]", "JSON"),
        ("count words: 1 + 1", "counts"),
    ],
)
def test_the_right_tool_answers_and_says_its_name(text: str, tool: str) -> None:
    assert answering(text) == tool


@pytest.mark.parametrize(
    "text", ["", "hello", "What is the capital of France?", "How do I add a provider?"]
)
def test_the_rest_has_none(text: str) -> None:
    assert answering(text) is None
