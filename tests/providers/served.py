"""A provider behind the whole application, and what its clients get, checked as OpenAI's SDK has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
from aiohttp.test_utils import TestClient, TestServer
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion import Choice

from g4f_aio.app import create_app
from g4f_aio.core.provider import Provider
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.settings import ProviderSettings, RoutingSettings, Settings
from g4f_aio.settings.secret import SecretStr
from tests.e2e.wire import Answer, checked, read


@attrs.frozen
class Gateway:
    """A running gateway with one provider."""

    client: TestClient[Any, Any]

    async def ask(
        self, model: str, text: str = "Hello big world", *, key: str | None = None, **fields: Any
    ) -> Answer:
        """The answer to a chat, as it goes over the wire; *key* is the caller's own."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        own = {} if key is None else {"api_key": key}
        async with self.client.post("/v1/chat/completions", json=body | own) as response:
            return await read(response)

    async def completion(
        self, model: str, text: str = "Hello big world", **fields: Any
    ) -> ChatCompletion:
        """The answer to a chat, of the right shape."""
        answer = await self.ask(model, text, **fields)
        assert answer.status == 200, answer.body
        return ChatCompletion.model_validate(answer.json())

    async def stream(
        self, model: str, text: str = "Hello big world", **fields: Any
    ) -> list[ChatCompletionChunk]:
        """The chunks of an answer to a chat, of the right shape and with a proper end."""
        answer = await self.ask(model, text, stream=True, **fields)
        assert answer.status == 200, answer.body
        assert answer.done, answer.body
        chunks = [ChatCompletionChunk.model_validate(chunk) for chunk in answer.chunks()]
        assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
        assert chunks[0].choices[0].delta.role == "assistant"
        return chunks

    async def failed_stream(self, model: str) -> tuple[str, dict[str, Any]]:
        """What a stream says before its error, and the error that ends it."""
        answer = await self.ask(model, stream=True)
        assert answer.status == 200, answer.body
        assert b"[DONE]" not in answer.body
        *chunks, last = answer.chunks()
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        said = "".join(delta.get("content") or "" for delta in deltas)
        return said, checked(last["error"])


@asynccontextmanager
async def served(provider: Provider, key: str, *models: str) -> AsyncIterator[Gateway]:
    """A gateway whose only provider is this one, which is not asked for its *models*.

    What fails is not tried again: that takes a second, and is not the provider's.
    """
    table = ProviderSettings(
        type=provider.name, api_key=SecretStr(key), models=models or ("unlisted",)
    )
    entry = Entry(provider.name, provider.name, "g4f_aio", "0", table, provider, chosen=True)
    quiet = Settings(routing=RoutingSettings(provider=provider.name, detect_local=False, retries=0))
    app = create_app(quiet, Registry.of(entry, settings=quiet))
    async with TestClient(TestServer(app)) as client:
        yield Gateway(client)


def said(chunks: list[ChatCompletionChunk], choice: int = 0) -> str:
    """The text of one choice."""
    found = (c for chunk in chunks for c in chunk.choices if c.index == choice)
    return "".join(one.delta.content or "" for one in found)


def finishes(chunks: list[ChatCompletionChunk]) -> dict[int, str]:
    """The finish reason of each choice; each has just one."""
    found = [(c.index, c.finish_reason) for chunk in chunks for c in chunk.choices]
    ends = [(index, reason) for index, reason in found if reason is not None]
    assert len(dict(ends)) == len(ends)
    return dict(ends)


def calls(choice: Choice) -> list[tuple[str, str]]:
    """The names and arguments of the functions that an answer calls; their ids are unique."""
    found = [call for call in choice.message.tool_calls or () if call.type == "function"]
    assert len({call.id for call in found}) == len(found)
    return [(call.function.name, call.function.arguments) for call in found]


def streamed_calls(chunks: list[ChatCompletionChunk]) -> list[tuple[str, str]]:
    """As ``calls``, of a stream: ids and names come with the first fragment of each."""
    found: list[list[str]] = []
    ids = set()
    for chunk in chunks:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                assert call.function is not None
                if call.id is not None:
                    assert call.index == len(found)
                    assert call.type == "function"
                    ids.add(call.id)
                    found.append([call.function.name or "", ""])
                found[call.index][1] += call.function.arguments or ""
    assert len(ids) == len(found)
    return [(name, arguments) for name, arguments in found]
