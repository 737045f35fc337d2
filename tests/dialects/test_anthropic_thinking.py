"""What a model's name tells about thinking and length, and what a caller's words mean there."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import UnsupportedError
from g4f_aio.core.messages import Thought
from g4f_aio.dialects.anthropic_thinking import (
    SEAL,
    Depth,
    SealedThoughts,
    depth_of,
    effort_of,
    is_thought,
    thought_block,
)

BUDGETED = "claude-sonnet-4-5-20250929"
ADAPTIVE = "claude-opus-4-6"
SHOWN = {"type": "adaptive", "display": "summarized"}


def budget(tokens: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens}


@pytest.mark.parametrize(
    ("model", "length"),
    [
        ("claude-3-opus-20240229", 4096),
        ("claude-2.1", 4096),
        ("claude-instant-1.2", 4096),
        ("claude-3-5-sonnet-20241022", 8192),
        ("claude-3-7-sonnet-latest", 32000),
        ("claude-opus-4-20250514", 32000),
        ("claude-opus-4-1-20250805", 32000),
        ("claude-haiku-5", 32000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 32000),
        ("claude-mythos-preview", 32000),
        ("deepseek-chat", 4096),
        ("", 4096),
    ],
)
def test_an_answer_may_be_as_long_as_the_name_allows(model: str, length: int) -> None:
    assert depth_of(model, None, None) == Depth(length)


def test_a_bound_of_the_callers_holds() -> None:
    assert depth_of(ADAPTIVE, None, 7, default=100) == Depth(7)


def test_a_bound_of_the_settings_holds_where_the_caller_has_none() -> None:
    assert depth_of(ADAPTIVE, None, None, default=100) == Depth(100)


@pytest.mark.parametrize(
    "model", [ADAPTIVE, "claude-sonnet-5", "claude-fable-5-1", "claude-mythos-preview"]
)
def test_newer_models_think_as_they_see_fit(model: str) -> None:
    assert depth_of(model, "medium", 5000) == Depth(5000, SHOWN, "medium")


@pytest.mark.parametrize(
    "model", [BUDGETED, "claude-opus-4-20250514", "claude-haiku-4-5", "kimi-k2"]
)
def test_older_models_and_others_think_by_budget(model: str) -> None:
    assert depth_of(model, "medium", 20000) == Depth(20000, budget(8192))


@pytest.mark.parametrize(
    ("effort", "word"), [("minimal", "low"), ("low", "low"), ("xhigh", "xhigh"), ("max", "max")]
)
def test_the_words_for_effort(effort: str, word: str) -> None:
    assert depth_of(ADAPTIVE, effort, 10).effort == word


@pytest.mark.parametrize("model", [ADAPTIVE, BUDGETED])
def test_no_thinking_is_said_aloud(model: str) -> None:
    assert depth_of(model, "none", 10) == Depth(10, {"type": "disabled"})


def test_the_settings_may_know_better_than_the_name() -> None:
    assert depth_of("kimi-k2", "low", 10, form="adaptive").effort == "low"
    assert depth_of(ADAPTIVE, "low", 9000, form="budget").thinking == budget(2048)


def test_a_budget_comes_on_top_of_an_answer_whose_length_is_open() -> None:
    assert depth_of("kimi-k2", "high", None) == Depth(16384 + 4096, budget(16384))
    assert depth_of(BUDGETED, "high", None) == Depth(32000, budget(16384))


@pytest.mark.parametrize(
    ("bound", "tokens"), [(1025, 1024), (2048, 1024), (3000, 1500), (100_000, 16384)]
)
def test_a_budget_leaves_room_for_the_answer_in_the_callers_bound(bound: int, tokens: int) -> None:
    assert depth_of(BUDGETED, "high", bound) == Depth(bound, budget(tokens))


def test_a_bound_too_small_to_think_in_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="1024 tokens or more") as raised:
        depth_of(BUDGETED, "low", 1024)
    assert raised.value.param == "reasoning_effort"


def test_a_word_that_nobody_knows_is_refused_here_or_by_the_upstream() -> None:
    with pytest.raises(UnsupportedError, match="one of none, minimal, low"):
        depth_of(BUDGETED, "extreme", None)
    assert depth_of(ADAPTIVE, "extreme", 10).effort == "extreme"


@pytest.mark.parametrize(
    ("tokens", "effort"),
    [(1024, "low"), (2048, "low"), (4000, "medium"), (16384, "high"), (31999, "high")],
)
def test_the_word_for_a_budget(tokens: int, effort: str) -> None:
    assert effort_of(tokens) == effort


# thoughts


@pytest.mark.parametrize(
    ("thought", "block"),
    [
        (Thought("a", "s"), {"type": "thinking", "thinking": "a", "signature": "s"}),
        (Thought("a"), {"type": "thinking", "thinking": "a", "signature": SEAL}),
        (Thought("", redacted="d"), {"type": "redacted_thinking", "data": "d"}),
    ],
)
def test_a_thought_as_a_block(thought: Thought, block: dict[str, Any]) -> None:
    assert thought_block(thought) == block
    assert is_thought(block)


def test_other_blocks_are_no_thoughts() -> None:
    assert not is_thought({"type": "text", "text": "a"})
    assert not is_thought({})


def test_what_was_thought_before_a_call_is_kept_by_its_id() -> None:
    kept = SealedThoughts()
    kept.keep("a", [Thought("Hm", "s")])
    assert kept.before("a") == ({"type": "thinking", "thinking": "Hm", "signature": "s"},)
    assert kept.before("b") == ()
    kept.keep("a", [Thought("Oh", "t")])
    assert [block["thinking"] for block in kept.before("a")] == ["Oh"]


def test_the_oldest_thoughts_make_room() -> None:
    size = len("thinking") + len("x" * 50) + len("s")
    kept = SealedThoughts(limit=3 * size)
    for number in range(1000):
        kept.keep(f"call{number}", [Thought("x" * 50, "s")])
    assert [bool(kept.before(f"call{number}")) for number in range(996, 1000)] == [
        False,
        True,
        True,
        True,
    ]
    kept.keep("large", [Thought("x" * 4 * size, "s")])
    assert not any(kept.before(f"call{number}") for number in range(1000))
    assert not kept.before("large")
