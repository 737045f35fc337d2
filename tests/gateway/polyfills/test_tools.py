"""Tools for models that give nothing but text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import (
    BadRequestError,
    ChatRequest,
    Finish,
    Message,
    OtherTool,
    ReasoningDelta,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    UnsupportedError,
)
from g4f_aio.gateway.polyfills.json_answer import UnfitAnswerError
from g4f_aio.gateway.polyfills.tools import Tools, tool_choice
from tests.gateway.polyfills.pieces import CUTS, answered, calls, cut, joined, reasons

WEATHER = Tool("weather", "How it is", {"type": "object", "properties": {"city": {}}})
TIME = Tool("time")
ONE = '<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>\n'
TWO = '<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>'
NAMED = {"type": "function", "function": {"name": "time"}}


def request(choice: Any = None, **options: Any) -> ChatRequest:
    hi = Message("user", (TextPart("Hi"),))
    return ChatRequest(
        "m", (hi,), tools=(WEATHER, TIME), tool_choice=choice, options=options, raw={}, accept="x"
    )


@given(st.sampled_from(["", "Let me see.\n\n"]), st.sampled_from(["", "And then"]), CUTS)
def test_calls_come_with_the_text_before_them(before: str, after: str, cuts: list[float]) -> None:
    events = answered(Tools(request()), cut(before + ONE + TWO + after, cuts))
    assert joined(events) == before.rstrip()
    assert calls(events) == [("weather", '{"city": "Köln"}'), ("time", "{}")]
    assert reasons(events) == ["tool_calls"]


@given(st.text(max_size=30), CUTS)
def test_an_answer_without_calls_is_text(text: str, cuts: list[float]) -> None:
    events = answered(Tools(request()), cut(text, cuts))
    assert joined(events) == text
    assert reasons(events) == ["stop"]


def test_a_made_up_result_ends_it() -> None:
    polyfill = Tools(request())
    events = answered(polyfill, [ONE, "<tool_result", ' name="weather">\nsun', TWO])
    assert polyfill.done
    assert len(calls(events)) == 1
    assert reasons(events) == ["tool_calls"]
    assert list(polyfill.feed(Finish())) == []


def test_one_call_is_enough_where_they_must_not_be_parallel() -> None:
    polyfill = Tools(request(parallel_tool_calls=False))
    events = answered(polyfill, [ONE + TWO])
    assert len(calls(events)) == 1
    assert polyfill.done
    assert reasons(events) == ["tool_calls"]


def test_none_are_offered_where_none_may_be_called() -> None:
    polyfill = Tools(request("none"))
    assert polyfill.prepare(request("none")).messages == request().messages
    assert joined(answered(polyfill, [ONE])) == ONE


@pytest.mark.parametrize("choice", ["required", NAMED])
def test_who_must_call_a_tool_is_asked_again_once(choice: Any) -> None:
    asked = request(choice)
    first = Tools(asked, last=False)
    assert answered(first, ["No."]) == []
    again = first.again(asked)
    assert again is not None
    assert [one.text for one in again.messages[:2]] == ["Hi", "No."]
    assert "time" in again.messages[2].text
    with pytest.raises(UnfitAnswerError, match="called none of") as caught:
        answered(Tools(asked), ["No."])
    assert (caught.value.status, caught.value.param) == (422, "tool_choice")
    events = answered(Tools(asked), ["Sure. ", TWO])
    assert (joined(events), calls(events)) == ("Sure.", [("time", "{}")])
    cut_off = answered(Tools(asked), ["Well"], Finish("length"))
    assert (joined(cut_off), reasons(cut_off)) == ("Well", ["length"])
    assert Tools(asked).again(asked) is None


def test_another_than_the_named_one_is_no_call() -> None:
    with pytest.raises(UnfitAnswerError):
        answered(Tools(request(NAMED)), [ONE])


def test_a_call_that_is_cut_or_no_json() -> None:
    half = ONE[:60]
    events = answered(Tools(request()), [half], Finish("length"))
    assert reasons(events) == ["length"]
    for text in (half, ONE.replace('"city"', "city")):
        with pytest.raises(UnfitAnswerError, match="call of a tool") as caught:
            answered(Tools(request()), [text])
        assert caught.value.param == "tools"


def test_other_events_pass() -> None:
    events = list(Tools(request()).feed(ReasoningDelta(ONE)))
    assert events == [ReasoningDelta(ONE)]
    native = ToolCallDelta(0, "c", "time", "{}")
    assert list(Tools(request()).feed(native)) == [native]
    assert list(Tools(request()).feed(TextDelta(""))) == []


def test_the_model_is_told_of_the_tools() -> None:
    asked = request(parallel_tool_calls=True, user="u")
    found = Tools(asked).prepare(asked)
    told = found.messages[0]
    assert told.role == "system"
    assert '{"name":"weather","description":"How it is","parameters":{"type":"object"' in told.text
    assert "several such blocks" in told.text
    assert (found.tools, found.tool_choice, found.options) == ((), None, {"user": "u"})
    assert (found.raw, found.accept) == (None, None)
    single = request("required", parallel_tool_calls=False)
    text = Tools(single).prepare(single).messages[0].text
    assert "one tool at a time" in text
    assert "at least one" in text
    named = request(NAMED)
    assert "must call time now" in Tools(named).prepare(named).messages[0].text


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_only_some_may_be_allowed(mode: str) -> None:
    listed = [{"type": "function", "function": {"name": "time"}}, {"name": "x"}, {}]
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": listed}}
    found = tool_choice(request(allowed))
    assert (found.names, found.forced) == (("time",), mode == "required")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        (request({"type": "function", "function": {"name": "x"}}), "tool_choice"),
        (request("often"), "tool_choice"),
        (request(functions=[{"name": "f"}]), "functions"),
        (ChatRequest("m", (), tools=(OtherTool("web_search", {}),)), "tools[0].type"),
    ],
)
def test_what_cannot_be_supplied_is_told(asked: ChatRequest, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        tool_choice(asked)
    assert caught.value.param == param
    if param != "tool_choice":
        assert isinstance(caught.value, UnsupportedError)
