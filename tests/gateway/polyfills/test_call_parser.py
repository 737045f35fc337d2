"""Calls are found in the text of a model, wherever it is cut, and nothing else is taken for one."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.gateway.polyfills.call_parser import LARGEST, Arguments, Called, CallParser, Piece
from tests.gateway.polyfills.pieces import CUTS, cut

NAMES = ("weather", "time")


def parsed(pieces: list[str]) -> list[Piece]:
    """Texts, names and whole arguments."""
    parser = CallParser(NAMES)
    found: list[Piece] = []
    for piece in (*(one for text in pieces for one in parser.feed(text)), *parser.close()):
        match found, piece:
            case [*_, str(before)], str():
                found[-1] = before + piece
            case [*_, Arguments(text=begun, last=False)], Arguments(text=text, last=last):
                found[-1] = Arguments(begun + text, last)
            case _:
                found.append(piece)
    return found


def calls(text: str) -> list[tuple[str, str]]:
    """Names and arguments of the calls in it."""
    found = parsed([text])
    return [
        (one.name, after.text)
        for one, after in pairwise(found)
        if isinstance(one, Called) and isinstance(after, Arguments)
    ]


CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>'
ONE = [("weather", '{"city": "Köln"}')]
TWO = [*ONE, ("time", "{}")]
WAYS = [
    (CALL, ONE),
    (f'I look.\n\n{CALL}\n<tool_call>{{"name":"time","arguments":{{}}}}</tool_call>', TWO),
    ('{"name": "weather", "arguments": {"city": "Köln"}}', ONE),
    ('\n ```json\n{"name": "weather", "parameters": {"city": "Köln"}}\n```', ONE),
    (f"```\n{CALL}\n```\n```\n" + '{"name": "time", "arguments": {}}\n```', TWO),
    ('[{"name": "weather", "arguments": {"city": "Köln"}}, {"name":"time","arguments":{}}]', TWO),
    ('<tool_call>{"arguments": {"city": "Köln"}, "name": "weather"}</tool_call>', ONE),
    ('<tool_call>{"name": "weather", "arguments": "{\\"city\\": \\"Köln\\"}"}</tool_call>', ONE),
    ('{"type": "function", "function": {"name": "weather", "arguments": {"city": "Köln"}}}', ONE),
    ('<tool_call>{"name": "time"}</tool_call>', [("time", "{}")]),
]
TEXTS = [
    "",
    " \n",
    "a < b, `code`, <tool_cal",
    '{"name": "Bob", "arguments": {}}',
    '{"a": {"name": "time"}}',
    '```json\n{"x": [1, 2]}\n```\nand ```py\nprint()\n```',
    '<tool_call>{"name": "unknown", "arguments": {}}</tool_call>',
    "<tool_call>time()</tool_call>",
    '{"name": "time"}',
    '<tool_call>{"name": "time", "arguments": "soon"}',
    '{"arguments": {}, "name": 3}',
    '{"name": "time", "arguments',
    'Call it with {"name": "time", "arguments": {}}.',
    "{ 5",
]


@pytest.mark.parametrize(("text", "found"), WAYS)
def test_calls_are_found_however_they_are_written(text: str, found: list[tuple[str, str]]) -> None:
    assert calls(text) == found


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_call_stays_as_it_is(text: str) -> None:
    assert parsed([text]) == ([text] if text else [])


@given(st.sampled_from([text for text, _ in WAYS] + TEXTS), st.text(max_size=5), CUTS)
def test_cuts_change_nothing(text: str, more: str, cuts: list[float]) -> None:
    whole = f"{more}{text}{more}"
    assert parsed(cut(whole, cuts)) == parsed([whole] if whole else [])


@given(st.text('<tool_cal>`{}[]" \n:', max_size=40), CUTS)
def test_no_text_is_lost(text: str, cuts: list[float]) -> None:
    assert "".join(str(piece) for piece in parsed(cut(text, cuts))) == text


def test_arguments_come_as_they_are_written() -> None:
    parser = CallParser(NAMES)
    list(parser.feed('<tool_call>{"name": "weather", "arguments": '))
    assert list(parser.feed('{"city": ')) == [Called("weather"), Arguments('{"city": ')]
    assert parser.in_call
    assert list(parser.feed('"K')) == [Arguments('"K')]
    assert list(parser.feed('"}')) == [Arguments('"}', last=True)]
    assert not parser.in_call


def test_arguments_that_are_no_json_are_an_error() -> None:
    with pytest.raises(ValueError, match="out of place"):
        parsed(['<tool_call>{"name": "time", "arguments": {\'a\': 1}}'])


def test_it_does_not_wait_for_ever() -> None:
    parser = CallParser(NAMES)
    text = '<tool_call>{"arguments": "' + "x" * LARGEST
    assert "".join(str(one) for one in parser.feed(text)).startswith('<tool_call>{"arguments')


def test_a_long_odd_text_takes_no_ages() -> None:
    parser = CallParser(NAMES)
    begun = time.thread_time()
    for _ in range(5000):
        list(parser.feed("``` {"))
    assert time.thread_time() - begun < 10
