"""An answer is the JSON that was asked for, or it is asked for again, or there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import (
    BadRequestError,
    Capability,
    ChatRequest,
    Finish,
    Message,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextPart,
    ToolCallDelta,
)
from g4f_aio.gateway.polyfills.json_answer import JsonAnswer, UnfitAnswerError, find, schema_of
from g4f_aio.gateway.polyfills.schema import Anything, Compiled
from tests.gateway.polyfills.pieces import CUTS, answered, cut, joined, reasons

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORM = {"type": "json_schema", "json_schema": {"name": "n", "description": "It.", "schema": SCHEMA}}
REQUEST = ChatRequest("m", (Message("user", (TextPart("Hi"),)),), response_format=FORM, raw={})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def polyfill(*, last: bool = True) -> JsonAnswer:
    return JsonAnswer(Compiled(SCHEMA, "p"), last=last)


@given(
    st.dictionaries(st.text(max_size=3), VALUES, max_size=3),
    st.sampled_from(
        ["{}", "```json\n{}\n```", "Here you are:\n```\n{}\n```\nBye", "It is {} indeed"]
    ),
    CUTS,
    st.booleans(),
)
def test_an_object_is_found_in_what_surrounds_it(
    value: dict[str, Any],
    around: str,
    cuts: list[float],
    indented: bool,  # noqa: FBT001
) -> None:
    written = json.dumps(value, ensure_ascii=False, indent=2 if indented else None)
    events = answered(JsonAnswer(Anything()), cut(around.replace("{}", written), cuts))
    assert json.loads(joined(events)) == value
    assert reasons(events) == ["stop"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"b": 1} or rather {"a": 2}', '{"a": 2}'),
        ('[1] {"a": 2}', '{"a": 2}'),
        ('{"a": 1', ["$: there is no JSON in it"]),
        ("[" * 5000, ["$: there is no JSON in it"]),
        ('{"x": {"a": 1}', ["$: there is no JSON in it"]),
        ('{"x": {"a": 1}, oops}', ["$: there is no JSON in it"]),
        ('{"x": "{\\"a\\": 1}', ["$: there is no JSON in it"]),
        ('in {braces}: {"a": 1}', '{"a": 1}'),
        (" ", ["$: it is empty"]),
        ('{"a": NaN}', ["$: there is no JSON in it"]),
        ('{"a": "x"}', ['$.a: "x" is not of type "integer"']),
    ],
)
def test_the_first_that_fits_is_taken(text: str, found: object) -> None:
    assert find(text, Compiled(SCHEMA, "p")) == found


def test_nothing_is_said_before_it_is_valid() -> None:
    one = polyfill()
    assert list(one.feed(ReasoningDelta("hm"))) == [ReasoningDelta("hm")]
    assert list(one.feed(TextDelta('{"a": 1}'))) == []
    assert list(one.close()) == []
    assert list(one.feed(Finish())) == [TextDelta('{"a": 1}'), Finish()]
    assert one.again(REQUEST) is None


def test_what_does_not_fit_is_asked_for_again_once() -> None:
    one = polyfill(last=False)
    assert answered(one, ['{"a": "x"}']) == []
    again = one.again(REQUEST)
    assert again is not None
    assert again.messages[1] == Message("assistant", (TextPart('{"a": "x"}'),))
    assert '$.a: "x" is not of type "integer"' in again.messages[2].text
    with pytest.raises(UnfitAnswerError, match=r'\$\.a: "x" is not') as caught:
        answered(polyfill(), ['{"a": "x"}'])
    error = caught.value
    assert (error.status, error.type, error.code, error.param) == (
        422,
        "invalid_request_error",
        "unprocessable",
        "response_format",
    )


def test_what_was_cut_off_says_so_by_its_reason() -> None:
    events = answered(polyfill(last=False), ['```json\n{"a": 1'], Finish("length"))
    assert joined(events) == '{"a": 1'
    assert reasons(events) == ["length"]


@pytest.mark.parametrize("event", [RefusalDelta("No."), ToolCallDelta(0, "c", "f")])
def test_a_refusal_or_a_call_is_no_json(event: RefusalDelta | ToolCallDelta) -> None:
    one = polyfill()
    assert list(one.feed(TextDelta("I"))) == []
    assert list(one.feed(event)) == [TextDelta("I"), event]
    assert list(one.feed(TextDelta("x"))) == []
    assert list(one.feed(Finish())) == [TextDelta("x"), Finish()]


def test_the_model_is_told_what_is_wanted() -> None:
    found = polyfill().prepare(REQUEST)
    assert found.response_format is None
    assert found.raw is None
    assert '"required":["a"]' in found.messages[0].text
    assert "It." in found.messages[0].text
    half = JsonAnswer(Anything(), native=Capability.JSON_OBJECT).prepare(REQUEST)
    assert half.response_format == {"type": "json_object"}
    plain = ChatRequest("m", (), response_format={"type": "json_object"})
    assert "one JSON object" in JsonAnswer(Anything()).prepare(plain).messages[0].text


def test_a_schema_is_required() -> None:
    assert schema_of(FORM) == SCHEMA
    with pytest.raises(BadRequestError) as caught:
        schema_of({"type": "json_schema", "json_schema": {"name": "n"}})
    assert caught.value.param == "response_format.json_schema.schema"
