"""Sealed thoughts that go to a client and come back, for one provider alone."""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.messages import Thought
from g4f_aio.dialects.openai_responses_seals import is_ours, opened, seal

TEXT = st.text(max_size=9)
SEALED = st.builds(Thought, TEXT, TEXT) | st.builds(
    Thought, st.just(""), st.none(), st.text(max_size=9)
)


@given(TEXT, st.lists(SEALED, min_size=1, max_size=4))
def test_what_is_sealed_comes_back_unchanged(provider: str, thoughts: list[Thought]) -> None:
    content = seal(provider, thoughts)
    assert content is not None
    assert content.isascii()
    assert is_ours(content)
    assert opened(content) == tuple(
        Thought(one.text, one.signature, one.redacted, by=provider) for one in thoughts
    )


def test_what_nobody_sealed_is_left_out() -> None:
    assert seal("p", ()) is None
    assert seal("p", (Thought("a"),)) is None
    assert opened(seal("p", (Thought("a"), Thought("b", "s")))) == (Thought("b", "s", by="p"),)


def as_written(value: object, start: str = "g4f_aio.1.") -> str:
    return start + base64.urlsafe_b64encode(orjson.dumps(value)).decode()


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "gAAAAABo",
        "g4f_aio.1.",
        "g4f_aio.1.!",
        "g4f_aio.1.AAAA",
        as_written(["p", [["a", "s", None]]], "g4f_aio.2."),
        as_written({"p": 1}),
        as_written(["p", 1]),
        as_written([1, []]),
        as_written(["p", [["a"], "a", ["a", None, None], [1, "s", None], ["a", "s", "r"]]]),
    ],
)
def test_anything_else_holds_nothing(content: str | None) -> None:
    assert opened(content) == ()


@given(st.text(max_size=30))
def test_no_text_makes_it_stumble(text: str) -> None:
    assert opened(text) == ()
    opened("g4f_aio.1." + text)


def test_ours_are_known_whatever_their_version() -> None:
    assert is_ours("g4f_aio.7.x")
    assert not is_ours("gAAAAABo")
    assert not is_ours(None)
