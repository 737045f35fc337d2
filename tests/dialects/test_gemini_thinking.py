"""How much a Gemini thinks, and the signatures of what it thought."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import UnsupportedError
from g4f_aio.core.messages import ToolCall
from g4f_aio.dialects.gemini_thinking import (
    UNSIGNED,
    Signatures,
    generation,
    thinking_config,
    thinks,
)

SHOWN = {"includeThoughts": True}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-2.0-flash", 2.0),
        ("gemini-2.5-pro", 2.5),
        ("models/gemini-3-flash-preview", 3.0),
        ("gemini-3.8-flash", 3.8),
        ("gemini-10", 10.0),
        ("gemini-flash-latest", math.inf),
        ("gemini-flash-lite-latest", math.inf),
        ("gemini-1.5-flash-latest", 1.5),
        ("gemini-exp-1206", None),
        ("gemini-robotics-er-1.5-preview", None),
        ("gemma-3-27b-it", None),
        ("tunedModels/my-gemini", None),
    ],
)
def test_the_generation_is_in_the_name(model: str, expected: float | None) -> None:
    assert generation(model) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-2.5-flash", True),
        ("gemini-2.5-flash-lite", True),
        ("gemini-3-pro-image-preview", True),
        ("gemini-pro-latest", True),
        ("gemini-2.0-flash", False),
        ("gemini-2.5-flash-image", False),
        ("gemini-2.5-pro-preview-tts", False),
        ("gemini-3.1-flash-tts", False),
        ("gemma-3-27b-it", False),
        ("tunedModels/mine", False),
    ],
)
def test_only_those_that_are_known_to_think_are_asked_for_it(model: str, expected: bool) -> None:  # noqa: FBT001
    assert thinks(model) is expected
    assert thinking_config(model, None, thoughts=True) == (SHOWN if expected else None)
    assert thinking_config(model, None, thoughts=False) is None


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-flash", "minimal", {"thinkingBudget": 1024, **SHOWN}),
        ("gemini-2.5-flash", "low", {"thinkingBudget": 1024, **SHOWN}),
        ("gemini-2.5-pro", "medium", {"thinkingBudget": 8192, **SHOWN}),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24576, **SHOWN}),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "MINIMAL", **SHOWN}),
        ("gemini-3-pro-preview", "minimal", {"thinkingLevel": "LOW", **SHOWN}),
        ("gemini-3-pro-preview", "high", {"thinkingLevel": "HIGH", **SHOWN}),
        ("gemini-flash-latest", "medium", {"thinkingLevel": "MEDIUM", **SHOWN}),
        ("gemini-9-flash", "xhigh", {"thinkingLevel": "XHIGH", **SHOWN}),
        # of others the API knows best
        ("my-model", "low", {"thinkingLevel": "LOW", **SHOWN}),
        ("my-model", "none", {"thinkingBudget": 0}),
    ],
)
def test_an_effort_in_the_words_of_the_model(
    model: str, effort: str, expected: dict[str, Any]
) -> None:
    assert thinking_config(model, effort, thoughts=True) == expected
    hidden = {key: value for key, value in expected.items() if key != "includeThoughts"}
    assert thinking_config(model, effort, thoughts=False) == hidden


@pytest.mark.parametrize(
    ("model", "effort"), [("gemini-3-flash", "none"), ("gemini-2.5-flash", "xhigh")]
)
def test_an_effort_the_model_does_not_know_is_refused(model: str, effort: str) -> None:
    with pytest.raises(UnsupportedError, match=r"^\$\.reasoning_effort: ") as caught:
        thinking_config(model, effort, thoughts=True)
    assert caught.value.param == "reasoning_effort"


# signatures

CALLS = (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))


def test_a_call_goes_back_with_its_signature() -> None:
    signatures = Signatures()
    signatures.keep("a", "f", "signed")
    assert signatures.of(CALLS, "gemini-3-flash") == ["signed", None]
    assert signatures.of(CALLS, "gemini-2.5-flash") == ["signed", None]


def test_a_signature_is_of_one_call_only() -> None:
    signatures = Signatures()
    signatures.keep("a", "another", "signed")
    assert signatures.of(CALLS, "gemini-2.5-flash") == [None, None]


def test_the_first_call_is_never_unsigned_where_that_is_an_error() -> None:
    assert Signatures().of(CALLS, "gemini-3-flash") == [UNSIGNED, None]
    assert Signatures().of((), "gemini-3-flash") == []


def test_a_newer_signature_replaces_an_older_one() -> None:
    signatures = Signatures(limit=6)
    for signature in ("first", "second"):
        signatures.keep("a", "f", signature)
    assert signatures.of(CALLS, "gemini-2.5-flash") == ["second", None]


def test_no_signature_is_shown() -> None:
    signatures = Signatures()
    signatures.keep("a", "f", "secret-5310")
    assert "secret-5310" not in repr(signatures)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.text(min_size=1, max_size=8))))
def test_the_oldest_are_forgotten_when_there_are_too_many(kept: list[tuple[str, str]]) -> None:
    signatures = Signatures(limit=16)
    for id_, signature in kept:
        signatures.keep(id_, "f", signature)
    latest = dict(kept)
    found = {id_: signatures.of((ToolCall(id_, "f", ""),), "")[0] for id_ in latest}
    known = {id_: signature for id_, signature in found.items() if signature is not None}
    assert sum(map(len, known.values())) <= 16
    assert known.items() <= latest.items()
    if kept:
        assert known[kept[-1][0]] == kept[-1][1]
