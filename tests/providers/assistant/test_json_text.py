from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.assistant.json_text import TOOL, json_text
from g4f_aio.providers.assistant.payload import PRINTED
from g4f_aio.providers.assistant.question import Question


def answer(text: str) -> str | None:
    return json_text(Question(text, ""))


def printed(text: str) -> str:
    found = answer(text)
    assert found is not None
    before, after = (
        "Valid JSON:\n\n```json\n",
        f"\n```\n\n{TOOL} (keys, order and numbers as they came)",
    )
    assert found.startswith(before)
    assert found.endswith(after)
    return found[len(before) : -len(after)]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[1,{}],"b":"x,y:{"}',
        'pretty print {"a":[1,{}],"b":"x,y:{"}',
        'Please format this JSON:\n```json\n{"a":[1,{}],"b":"x,y:{"}\n```',
        'is this valid JSON? {"a":[1,{}],"b":"x,y:{"}',
    ],
)
def test_valid_json_is_printed_on_indented_lines(text: str) -> None:
    expected = '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "x,y:{"\n}'
    assert printed(text) == expected


def test_numbers_order_and_duplicate_keys_stay_as_they_came() -> None:
    text = '{"z": 1.10, "a": 12345678901234567890123, "z": 1E4}'
    assert printed(text).split() == text.replace("{", "{ ").replace("}", " }").split()


def test_what_is_wrong_is_said_with_its_place() -> None:
    assert answer('validate this json: {"a":1,}') == (
        "That is not valid JSON: trailing comma is not allowed: line 1 column 7 (char 6).\n\n"
        + TOOL
    )


@pytest.mark.parametrize(
    "text", ["", "[1, 2", "[link](http://example.com)", "{curly}", "what is json?", "validate json"]
)
def test_what_is_no_json_and_no_request_is_left_to_others(text: str) -> None:
    assert answer(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200 + "]" * 200,
        "[" + "1," * PRINTED + "1]",
        "[" * 90 + "[1]," * 1000 + "1" + "]" * 90,
    ],
)
def test_what_would_be_too_large_is_not_printed(text: str) -> None:
    assert answer(text) == f"Valid JSON, but too large to print here.\n\n{TOOL}"


def test_nesting_without_end_is_no_trouble() -> None:
    text = "[" * 500_000
    assert answer(text) is None
    assert "not valid" in (answer(f"validate this json: {text}") or "")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.one_of(st.lists(_VALUES), st.dictionaries(st.text(), _VALUES)))
def test_it_is_still_the_same_json(value: Any) -> None:
    for encoder in (json.JSONEncoder(indent=2), json.JSONEncoder(indent=2, ensure_ascii=False)):
        shown = printed(encoder.encode(value))
        assert json.loads(shown) == value
        assert shown == encoder.encode(value)
