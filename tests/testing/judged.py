"""A provider that is good, to make bad ones of, and what ``check_provider`` says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from g4f_aio import CallContext, ChatRequest, EventStream, Finish, ModelInfo, Provider, TextDelta
from g4f_aio.testing import Answer, FakeUpstream, check_provider

LINES = Answer.stream("Hello\n", "big\n", "world\n")


@attrs.frozen(kw_only=True)
class Good(Provider):
    """Its upstream answers with lines of text."""

    name: ClassVar[str] = "good"
    key: ClassVar[str] = "required"

    base_url: str = "https://api.good.example"

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("good-small"), ModelInfo("good-large"))

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        headers = {"Authorization": f"Bearer {ctx.credential}"}
        body = {"model": request.model, "prompt": request.last_user_text}
        async with ctx.http.post(f"{self.base_url}/ask", headers=headers, json=body) as response:
            await ctx.check(response)
            async for line in response.lines():
                yield TextDelta(f"{line.decode()}\n")
        yield Finish("stop")


async def faults(
    provider: type[Provider] | Provider,
    answers: Mapping[str, Any] | None = None,
    **options: Any,
) -> list[str]:
    """The faults that are found in front of an upstream, by default one that suits ``Good``."""
    async with FakeUpstream({"/ask": LINES} if answers is None else answers) as upstream:
        return await said(provider, upstream=upstream, **options)


async def said(provider: Any, **options: Any) -> list[str]:
    """The faults that ``check_provider`` lists."""
    try:
        await check_provider(provider, **options)
    except AssertionError as error:
        return str(error).split("\n  - ")[1:]
    return []
