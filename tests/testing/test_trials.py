"""The good call is looked at first; what fails there is not put through the others."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import CallContext, ChatRequest, EventStream, Finish, ModelInfo, TextDelta
from g4f_aio.testing import Answer, FakeUpstream, check_provider
from tests.testing.judged import LINES, Good, faults, said

MODELS = {"data": [{"id": "a"}, {"id": "b"}]}


async def test_a_good_provider_is_called_in_good_and_bad_times() -> None:
    async with FakeUpstream({"/ask": LINES}) as upstream:
        await check_provider(Good, upstream=upstream)
        assert upstream.requests == []


@attrs.frozen(kw_only=True)
class Silent(Good):
    """It has an answer of its own."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield TextDelta("a")
        yield Finish()


@attrs.frozen(kw_only=True)
class NoFinish(Silent):
    """It forgets the end."""

    name: ClassVar[str] = "zoo-2"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield TextDelta("a")


@attrs.frozen(kw_only=True)
class Junk(Good):
    """It yields words."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> Any:
        yield "Hello"
        yield TextDelta("")


@attrs.frozen(kw_only=True)
class Listing(Good):
    """It returns a list."""

    name: ClassVar[str] = "zoo"

    def chat(self, request: ChatRequest, ctx: CallContext) -> Any:
        return [TextDelta("a"), Finish()]


@attrs.frozen(kw_only=True)
class Delegating(Good):
    """It hands out a generator that is another function's, as it may."""

    name: ClassVar[str] = "zoo"

    def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        return Good.chat(self, request, ctx)


@attrs.frozen(kw_only=True)
class Endless(Good):
    """It waits for ever."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield TextDelta("a")
        await asyncio.sleep(60)


@attrs.frozen(kw_only=True)
class Raising(Good):
    """It fails."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield TextDelta("a")
        raise KeyError("b")


@attrs.frozen(kw_only=True)
class WrongSignature(Good):
    """It does not take what it is given."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest) -> EventStream:  # type: ignore[override]
        yield Finish()


NEVER = "it never asks the upstream: have its address in a setting such as base_url, and call it"


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (Silent, [NEVER]),
        (NoFinish, [NEVER, "the answer ends without a Finish: yield Finish"]),
        (
            Junk,
            [
                NEVER,
                "chat yields 'Hello', a str, which is no event: yield those of g4f_aio",
                "chat yields a TextDelta without text: leave out what is empty",
                "the answer ends without a Finish",
            ],
        ),
        (Listing, ["chat returns a list and must be an asynchronous generator: write it as"]),
        (Delegating, []),
        (Endless, ["its answer does not end within 0.5 s: yield Finish and return when the"]),
        (Raising, ["chat raises KeyError: 'b' (test_trials.py:"]),
        (WrongSignature, ["chat raises TypeError: "]),
    ],
)
async def test_what_a_call_shows(cls: type[Good], expected: list[str]) -> None:
    found = await faults(cls, within=0.5)
    assert len(found) == len(expected)
    for line, begin in zip(found, expected, strict=True):
        assert line.startswith(begin)


async def test_an_address_that_the_upstream_does_not_know() -> None:
    (found,) = await faults(Good, {"/aks": LINES})
    assert found.startswith("it asks POST /ask, and the fake upstream has no answer for that: give")


async def test_an_answer_that_is_refused_in_good_times() -> None:
    (found,) = await faults(Good, {"/ask": Answer.json({}, status=503)})
    assert found.startswith("chat raises UpstreamError: good answered 503: {}")
    assert found.endswith("although nothing is wrong with the request or the upstream")


@attrs.frozen(kw_only=True)
class Asking(Good):
    """It asks for its models."""

    name: ClassVar[str] = "zoo"

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        async with ctx.http.get(f"{self.base_url}/models") as response:
            await ctx.check(response)
            listed = await response.json()
        return tuple(ModelInfo(one["id"]) for one in listed["data"])


@attrs.frozen(kw_only=True)
class AskingCarelessly(Good):
    """It takes any answer."""

    name: ClassVar[str] = "zoo"

    async def fetch_models(self, ctx: CallContext) -> Any:
        async with ctx.http.get(f"{self.base_url}/models") as response:
            listed = await response.json()
        return [ModelInfo(one["id"]) for one in listed.get("data", ())]


@attrs.frozen(kw_only=True)
class AskingCuriously(Good):
    """It does not understand what it gets."""

    name: ClassVar[str] = "zoo"

    async def fetch_models(self, ctx: CallContext) -> Any:
        async with ctx.http.get(f"{self.base_url}/models") as response:
            return (await response.json())["models"]


@attrs.frozen(kw_only=True)
class AskingNobody(Good):
    """It knows by itself."""

    name: ClassVar[str] = "zoo"

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        return (ModelInfo("a"),)


@attrs.frozen(kw_only=True)
class AskingHalf(Asking):
    """It stumbles over an error."""

    name: ClassVar[str] = "zoo-2"

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        async with ctx.http.get(f"{self.base_url}/models") as response:
            return tuple(ModelInfo(one["id"]) for one in (await response.json())["data"])


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (Asking, []),
        (AskingNobody, []),
        (
            AskingCarelessly,
            [
                "fetch_models() gives a list: return a tuple of ModelInfo",
                "fetch_models returns when its upstream answers 500: call `await ctx.check",
            ],
        ),
        (AskingCuriously, ["fetch_models raises KeyError: 'models' (test_trials.py:"]),
        (AskingHalf, ["fetch_models raises KeyError: 'data' (test_trials.py:"]),
    ],
)
async def test_the_list_of_models(cls: type[Good], expected: list[str]) -> None:
    found = await faults(cls, {"/ask": LINES, "/models": MODELS})
    assert len(found) == len(expected)
    for line, begin in zip(found, expected, strict=True):
        assert line.startswith(begin)


async def test_a_list_that_the_upstream_does_not_have_is_not_looked_at() -> None:
    assert await faults(AskingCarelessly) == []


async def test_a_call_that_needs_no_upstream() -> None:
    assert await said(Silent, request="Hello") == []
    (found,) = await said(NoFinish, request="Hello")
    assert found.startswith("the answer ends without a Finish")
