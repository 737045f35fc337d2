"""What is remembered of a stream: choices, content, and an estimate, but no long text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.tokens import estimate_tokens
from g4f_aio.dialects.openai_chat_said import Said

from .wire import Json, chunk


@given(st.lists(st.text()), st.booleans())
def test_however_it_came_the_estimate_is_that_of_the_whole(
    pieces: list[str],
    many: bool,  # noqa: FBT001
) -> None:
    said = Said()
    texts = pieces * (100 if many else 1)
    for text in texts:
        said.add(text)
    assert said.tokens == said.tokens == estimate_tokens("".join(texts))


@pytest.mark.parametrize("text", ["word " * 1000, "w"])
def test_little_of_what_was_said_is_kept(text: str) -> None:
    said = Said()
    for _ in range(1000):
        said.add(text)
    kept = [one for one in vars(said).values() if isinstance(one, list)]
    assert sum(map(len, "".join(map("".join, kept)))) < 20_000
    assert said.tokens == estimate_tokens(text * 1000)


@pytest.mark.parametrize(
    ("delta", "content", "tokens"),
    [
        ({}, False, 0),
        ({"role": "assistant", "content": ""}, False, 0),
        ({"content": "a"}, True, 1),
        ({"reasoning_content": "abcd", "content": "abcd"}, True, 2),
        ({"tool_calls": [{"function": {"arguments": "abcd"}}]}, True, 1),
        ({"audio": {"id": "a"}}, True, 0),
    ],
)
def test_what_a_chunk_says_is_noted(delta: Json, *, content: bool, tokens: int) -> None:
    said = Said()
    assert said.note(chunk(delta, index=2)) == ()
    assert (said.content, said.tokens, said.choices) == (content, tokens, {2})
    assert said.called == ("tool_calls" in delta)
    assert said.last == chunk(delta, index=2)


def test_the_choices_that_end_are_told() -> None:
    value = chunk(finish="stop")
    value["choices"].append({"index": 1, "finish_reason": None})
    value["choices"].append({"index": 2, "finish_reason": "length"})
    said = Said()
    assert said.note(value) == (0, 2)
    assert said.choices == {0, 1, 2}


def test_a_chunk_without_an_id_is_not_taken_for_an_example() -> None:
    said = Said()
    said.note(chunk())
    said.note({"id": "", "choices": []})
    assert said.last == chunk()


@pytest.mark.parametrize(
    "choices", [1, "", {}, [1], [None], [{"index": "0"}], [{"delta": "x"}], [{"delta": ["x"]}]]
)
def test_a_malformed_chunk_is_told(choices: object) -> None:
    assert Said().note({"choices": choices}) is None


@pytest.mark.parametrize(
    "special",
    [
        1,
        chunk(finish="stop"),
        chunk({"content": "a"}) | {"usage": {"prompt_tokens": 1}},
        chunk({"content": "a"}) | {"error": "x"},
        {"choices": []},
        {"choices": 1},
    ],
)
def test_of_many_chunks_one_of_which_is_special_none_is_counted(special: object) -> None:
    said = Said()
    said.add("abcd")
    plain = chunk({"content": "word " * 100})
    assert not said.note_plain([plain, special])
    assert said.tokens == 1
    assert said.note_plain([plain, plain])
    assert said.tokens == estimate_tokens("abcd" + "word " * 200)
