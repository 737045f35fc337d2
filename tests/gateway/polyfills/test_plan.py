"""What is lacking is supplied, in the right order, and named."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio import (
    BadRequestError,
    Capability,
    ChatRequest,
    Finish,
    Message,
    Sampling,
    TextDelta,
    TextPart,
    Tool,
)
from g4f_aio.core.operations import CompletionRequest, Operation
from g4f_aio.gateway.polyfills.plan import SUPPLIABLE, Plan, asked

ALL = frozenset(("stop", "max_tokens", "system"))
HI = Message("user", (TextPart("Hi"),))


def request(**fields: Any) -> ChatRequest:
    return ChatRequest("m", (HI,), **fields)


def test_the_parameters_that_are_ignored() -> None:
    brief = Message("system", (TextPart("Be brief."),))
    full = ChatRequest("m", (brief, HI), sampling=Sampling(stop=("x",), max_tokens=3))
    assert asked(full, ALL) == ALL
    assert asked(full, frozenset()) == frozenset()
    assert asked(request(), ALL) == frozenset()
    completion = CompletionRequest(prompts=("x",), sampling=Sampling(stop=("x",)))
    assert asked(completion, ALL) == {"stop"}
    assert asked(Operation(), ALL) == frozenset()


def test_everything_at_once() -> None:
    chat = request(
        n=2,
        tools=(Tool("f"),),
        response_format={"type": "json_object"},
        sampling=Sampling(stop=("END",), max_tokens=50),
    )
    plan = Plan.of(chat, chat.needs & SUPPLIABLE, Capability.CHAT, ALL)
    assert plan.names == ("tools", "json_object", "n", "max_tokens", "stop")
    assert (plan.choices, plan.request.n) == (2, 1)
    assert plan.request.sampling == Sampling()
    # the instructions are where the provider sees them
    assert [one.role for one in plan.request.messages] == ["user"]
    assert "<tool_call>" in plan.request.messages[0].text
    assert "JSON object" in plan.request.messages[0].text
    chain = plan.chain(last=True)
    events = [*chain.feed(TextDelta('```\n{"a": "x END"}\n```')), *chain.feed(Finish())]
    assert events == [TextDelta('{"a": "x '), Finish(stop_sequence="END")]


def test_several_choices_are_made_one_by_one_where_anything_else_is_supplied() -> None:
    plan = Plan.of(request(n=2, tools=(Tool("f"),)), Capability.TOOLS, Capability.SEVERAL_CHOICES)
    assert plan.names == ("tools", "n")


def test_a_schema_uses_what_the_provider_has_of_it() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}
    plan = Plan.of(request(response_format=form), Capability.JSON_SCHEMA, Capability.JSON_OBJECT)
    assert plan.names == ("json_schema",)
    chain = plan.chain(last=True)
    assert [*chain.feed(TextDelta("[1]")), *chain.feed(Finish())] == [TextDelta("[1]"), Finish()]
    with pytest.raises(BadRequestError):
        Plan.of(request(response_format={"type": "json_schema"}), Capability.JSON_SCHEMA)
