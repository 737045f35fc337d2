"""Whatever an upstream does wrong, a provider has to say it with the right error."""

from __future__ import annotations

import json
from typing import ClassVar

import attrs
import pytest

from g4f_aio import (
    BadRequestError,
    CallContext,
    ChatRequest,
    EventStream,
    Finish,
    GatewayError,
    RateLimitError,
    Status,
    TextDelta,
    UpstreamError,
)
from g4f_aio.testing import Answer
from tests.testing.judged import Good, faults

CHECK = "call `await ctx.check(response)` before you read the answer"
WORDS = Answer.stream('{"text": "Hello"}\n', '{"text": " world"}\n', '{"done": true}\n')


@attrs.frozen(kw_only=True)
class Unchecked(Good):
    """It takes every answer for a good one."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            async for line in response.lines():
                yield TextDelta(line.decode())
        yield Finish()


async def test_a_status_that_nobody_looks_at() -> None:
    early, *found = await faults(Unchecked)
    assert early == (
        "chat yields TextDelta before it knows that the upstream takes the request: yield nothing"
        " before that, so that another provider can still be asked"
    )
    assert found == [
        f"chat ends as if all were well when its upstream answers 401: {CHECK}",
        f"chat ends as if all were well when its upstream answers 429: {CHECK}",
        f"chat ends as if all were well when its upstream answers 500: {CHECK}",
    ]


@attrs.frozen(kw_only=True)
class Parses(Good):
    """Its upstream speaks JSON, and it believes that."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            async for line in response.lines():
                said = json.loads(line)
                yield TextDelta(said["text"]) if "text" in said else Finish()


async def test_raw_exceptions() -> None:
    found = await faults(Parses, {"/ask": WORDS})
    assert found[0].startswith("chat yields Finish before it knows")
    del found[0]
    assert [line.partition(":")[0] for line in found] == [
        "chat ends as if all were well when its upstream answers 401",
        "chat ends as if all were well when its upstream answers 429",
        "chat ends as if all were well when its upstream answers 500",
        "chat raises JSONDecodeError",
    ]
    assert "(test_failures.py:" in found[-1]
    assert found[-1].endswith(
        "when its upstream answers with a web page: catch what reading it raises, and raise"
        " UpstreamError"
    )


def raising(error: type[Exception], *, quote: bool = False) -> type[Good]:
    """A provider with one error for all failures."""

    @attrs.frozen(kw_only=True)
    class Raising(Good):
        name: ClassVar[str] = "zoo"

        async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
            async with ctx.http.post(f"{self.base_url}/ask") as response:
                if response.status != 200:
                    body = await response.read()
                    raise error(body.decode() if quote else "failed")
                async for line in response.lines():
                    yield TextDelta(line.decode())
            yield Finish()

    return Raising


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            KeyError,
            [
                ("raises KeyError: 'failed' (test_failures.py:", "401: call"),
                ("raises KeyError: 'failed' (test_failures.py:", "429: call"),
                ("raises KeyError: 'failed' (test_failures.py:", "500: call"),
            ],
        ),
        (
            UpstreamError,
            [
                ("raises UpstreamError", "401, which is UpstreamAuthError: call"),
                ("raises UpstreamError", "429, which is RateLimitError: call"),
            ],
        ),
        (
            BadRequestError,
            [
                ("raises BadRequestError", "401, which is UpstreamAuthError: call"),
                ("raises BadRequestError", "429, which is RateLimitError: call"),
                ("raises BadRequestError", "500, which is UpstreamError: call"),
            ],
        ),
        (
            RateLimitError,
            [
                ("raises RateLimitError", "401, which is UpstreamAuthError: call"),
                ("RateLimitError has not the Retry-After", "of its upstream: call"),
                ("raises RateLimitError", "500, which is UpstreamError: call"),
            ],
        ),
    ],
)
async def test_one_error_for_all(error: type[Exception], expected: list[tuple[str, str]]) -> None:
    found = await faults(raising(error))
    assert len(found) == len(expected)
    for line, (begin, end) in zip(found, expected, strict=True):
        assert begin in line
        assert end in line


async def test_an_error_that_quotes_the_credential() -> None:
    found = await faults(raising(UpstreamError, quote=True))
    quoting = [line for line in found if line.startswith("its error quotes the credential")]
    assert len(quoting) == 3
    assert quoting[0].endswith(f"answers 401: {CHECK}, which leaves it out")
    assert "credential-of-the-test" not in "\n".join(found)


@attrs.frozen(kw_only=True)
class Swallows(Good):
    """It makes the best of what it gets."""

    name: ClassVar[str] = "zoo"
    error: ClassVar[type[Exception] | None] = None

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        try:
            async with ctx.http.post(f"{self.base_url}/ask") as response:
                await ctx.check(response)
                async for line in response.lines():
                    yield TextDelta(line.decode())
        except GatewayError as failed:
            if failed.status != 502 or failed.code == "provider_auth_failed":
                raise
            if getattr(failed, "upstream_status", None) is not None:
                raise
            if self.error is not None:
                raise self.error("lost") from None
        yield Finish()


@attrs.frozen(kw_only=True)
class Translates(Swallows):
    """It has an error of its own."""

    name: ClassVar[str] = "zoo-2"
    error: ClassVar[type[Exception] | None] = ConnectionError


async def test_an_answer_that_is_cut_off() -> None:
    advice = "let the UpstreamError of ctx.http pass, and raise one where the answer lacks its end"
    assert await faults(Swallows) == [
        f"chat ends as if all were well when its upstream cuts its answer off: {advice}",
        f"chat ends as if all were well when its upstream hangs up without an answer: {advice}",
    ]
    found = await faults(Translates)
    assert len(found) == 2
    assert found[0].startswith("chat raises ConnectionError: lost (test_failures.py:")
    assert found[0].endswith(
        "cuts its answer off: that is an UpstreamError; ctx.http raises it by itself"
    )


@attrs.frozen(kw_only=True)
class Retries(Good):
    """It never gives up."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        while True:
            try:
                async with ctx.http.post(f"{self.base_url}/ask") as response:
                    await ctx.check(response)
                    lines = (await response.read()).decode().splitlines()
                    assert lines[0] == "Hello"
                break
            except (GatewayError, AssertionError):
                continue
        yield TextDelta(lines[0])
        yield Finish()


async def test_who_never_gives_up() -> None:
    found = await faults(Retries, {"/ask": Answer.stream("Hello\n")}, within=0.5)
    assert found == [
        f"its answer does not end within 0.5 s when its upstream {what}: raise an error there"
        for what in (
            "answers 401",
            "answers 429",
            "answers 500",
            "cuts its answer off",
            "hangs up without an answer",
            "answers with a web page",
        )
    ]


@attrs.frozen(kw_only=True)
class SaysHello(Good):
    """It has something to say before it asks."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield Status("asking")
        async for event in Good.chat(self, request, ctx):
            yield event


async def test_nothing_is_said_before_the_upstream_has_agreed() -> None:
    (found,) = await faults(SaysHello)
    assert found.startswith("chat yields Status before it knows that the upstream takes the")
