from __future__ import annotations

import re

import pytest

from g4f_aio.providers.assistant.payload import payload, unquoted


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("", ""),
        ("  a b ", "a b"),
        ('"a b"', "a b"),
        ('"a b"?', "a b"),
        ("'it'?", "it"),
        ("“a”", "a"),
        ("„a“", "a"),
        ('"a" and "b"', '"a" and "b"'),
        ('"', '"'),
        ("what?", "what?"),
        ("```json\n{}\n```", "{}"),
        ("```\n a\n```\n", " a"),
    ],
)
def test_quotes_and_fences_around_the_whole_are_taken_off(text: str, inner: str) -> None:
    assert unquoted(text) == inner


def test_the_payload_is_what_follows_the_request() -> None:
    match = re.match("hash", "hash 'x'")
    assert match is not None
    assert payload(match, "hash 'x'") == "x"


def test_the_payload_is_what_the_request_encloses() -> None:
    match = re.match("hash (?P<text>.*) now", "hash 'x' now")
    assert match is not None
    assert payload(match, "hash 'x' now") == "x"
