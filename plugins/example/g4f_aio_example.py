"""A provider for g4f_aio: an upstream that answers a prompt with lines of text."""

from typing import ClassVar

import attrs

from g4f_aio import CallContext, ChatRequest, EventStream, Finish, ModelInfo, Provider, TextDelta


@attrs.frozen(kw_only=True)
class Example(Provider):
    """Sends the prompt to ``POST /ask`` at *base_url*; the answer comes line by line."""

    name: ClassVar[str] = "example"
    label: ClassVar[str] = "Example"
    description: ClassVar[str] = "A provider to copy from"

    base_url: str = ""

    def missing(self) -> str | None:
        return None if self.base_url else 'base_url, such as "http://127.0.0.1:9000"'

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("example-small"),)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        body = {"model": request.model, "prompt": request.last_user_text}
        async with ctx.http.post(f"{self.base_url}/ask", json=body) as response:
            await ctx.check(response)  # raises the right error unless it is a success
            async for line in response.lines():
                yield TextDelta(f"{line.decode()}\n")
        yield Finish("stop")
