"""What an upstream of OpenAI's dialect gets of a request that is written for it anew."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.messages import Message, TextPart, ToolCall
from g4f_aio.core.requests import ChatRequest, Sampling
from g4f_aio.dialects.openai_chat_quirks import REASONING, Quirks
from g4f_aio.dialects.openai_chat_request import decode, encode

CALL = (ToolCall("c", "f", "{}"),)
TALK = (
    Message("user", (TextPart("Hi"),)),
    Message("assistant", (TextPart("Hello"),), reasoning="greet"),
    Message("user", (TextPart("Look"),)),
    Message("assistant", tool_calls=CALL, reasoning="look"),
    Message("tool", (TextPart("seen"),), tool_call_id="c"),
    Message("assistant", tool_calls=CALL),
    Message("tool", (TextPart("seen"),), tool_call_id="c"),
    Message("assistant", (TextPart("There."),), reasoning="tell"),
)


@pytest.mark.parametrize(
    ("reasoning", "kept"),
    [
        ("never", [None, None, None, None]),
        ("tools", [None, "look", None, "tell"]),
        ("required", [None, "look", "", "tell"]),
        ("always", ["greet", "look", None, "tell"]),
    ],
)
def test_which_thoughts_go_back(reasoning: str, kept: list[str | None]) -> None:
    assert reasoning in REASONING
    taken = Quirks(reasoning).taken(TALK)
    assert [one.reasoning for one in taken if one.role == "assistant"] == kept
    assert [attrs.evolve(one, reasoning=None) for one in taken] == [
        attrs.evolve(one, reasoning=None) for one in TALK
    ]


def test_what_goes_back_is_on_the_wire() -> None:
    body = encode(ChatRequest("m", TALK), "m", Quirks("required"))
    wire = [one.get("reasoning_content") for one in body["messages"]]
    assert wire == [None, None, None, "look", None, "", None, "tell"]


@pytest.mark.parametrize("newer", [False, True])
def test_the_bound_of_an_answer_by_its_name_there(newer: bool) -> None:  # noqa: FBT001
    body = encode(
        ChatRequest("m", TALK, sampling=Sampling(max_tokens=5)),
        "m",
        Quirks(max_completion_tokens=newer),
    )
    found = {key: value for key, value in body.items() if key.startswith("max_")}
    assert found == {"max_completion_tokens" if newer else "max_tokens": 5}


def test_a_client_of_the_dialect_knows_what_it_does() -> None:
    wire = b'{"max_tokens":5,"messages":[{"role":"assistant","reasoning_content":"a"}]}'
    body = encode(decode(wire), "m", Quirks("never", max_completion_tokens=True))
    assert body["max_tokens"] == 5
    assert body["messages"][0]["reasoning_content"] == "a"
