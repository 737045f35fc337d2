"""Providers that do as they are told, and the server under test on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
import attrs
from aiohttp import web
from multidict import CIMultiDict

from g4f_aio.core.events import Event, EventStream, Finish, TextDelta
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.core.requests import ChatRequest
from g4f_aio.gateway.registry import Entry
from g4f_aio.logs import request_id_var
from g4f_aio.settings import ProviderSettings
from tests.e2e.wire import Answer, read
from tests.patience import PATIENCE

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello!"}]}
STREAM = {**HELLO, "stream": True}
CHAT = "/v1/chat/completions"
#: what a step of a script is: an event to yield, seconds to wait, an error to raise
Step = Event | float | BaseException


@attrs.define
class Record:
    """What a provider was asked, and when each of its answers was over (the loop's time).

    *ids* are those that its log lines have.
    """

    requests: list[ChatRequest] = attrs.field(factory=list)
    contexts: list[CallContext] = attrs.field(factory=list)
    ids: list[str] = attrs.field(factory=list)
    closed: list[float] = attrs.field(factory=list)
    begun: asyncio.Event = attrs.field(factory=asyncio.Event)
    over: asyncio.Event = attrs.field(factory=asyncio.Event)


@attrs.frozen(kw_only=True)
class Script(Provider):
    """Goes through *steps*; says two words unless told otherwise."""

    name: ClassVar[str] = "script"
    label: ClassVar[str] = "A script"
    description: ClassVar[str] = "Does as it is told"

    steps: tuple[Step, ...] = (TextDelta("Hello"), TextDelta(" world"), Finish())
    listed: tuple[ModelInfo, ...] = (ModelInfo("small"), ModelInfo("large", owned_by="Acme"))
    record: Record = attrs.field(factory=Record)

    def models(self) -> tuple[ModelInfo, ...]:
        return self.listed

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.record.requests.append(request)
        self.record.contexts.append(ctx)
        self.record.ids.append(request_id_var.get())
        self.record.begun.set()
        try:
            for step in self.steps:
                match step:
                    case float():
                        await asyncio.sleep(step)
                    case BaseException():
                        raise step
                    case _:
                        yield step
        finally:
            self.record.closed.append(asyncio.get_running_loop().time())
            self.record.over.set()


@attrs.frozen(kw_only=True)
class Keyed(Script):
    """Needs a key."""

    key: ClassVar[str] = "required"


@attrs.frozen(kw_only=True)
class OptionallyKeyed(Script):
    """Takes a key where there is one."""

    key: ClassVar[str] = "optional"


@attrs.frozen(kw_only=True)
class Seeing(Script):
    """Takes images, and streams nothing."""

    url: ClassVar[str | None] = "https://example.org"
    capabilities: ClassVar[Capability] = Capability.CHAT | Capability.VISION


def entry(
    provider: Provider | None,
    name: str = "script",
    *,
    error: str | None = None,
    chosen: bool = True,
    **settings: Any,
) -> Entry:
    """A provider as a registry lists it."""
    table = ProviderSettings(type=name, **settings)
    return Entry(name, "script", "tests", "1.0", table, provider, error, chosen)


@attrs.frozen
class Server:
    """A running server at *address* (host and port), and a client for it."""

    app: web.Application
    address: str
    client: aiohttp.ClientSession

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: object = None,
    ) -> Answer:
        """The whole answer to a request."""
        url = f"http://{self.address}{path}"
        async with self.client.request(
            method, url, headers=headers, json=json, data=data, allow_redirects=False
        ) as response:
            return await read(response)

    async def get(self, path: str, **headers: str) -> Answer:
        """The whole answer to a GET."""
        return await self.ask("GET", path, headers=headers)

    async def chat(
        self,
        body: object = None,
        path: str = CHAT,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The whole answer to a chat; without a *body*, to a small one."""
        return await self.ask("POST", path, headers=headers, json=HELLO if body is None else body)

    def stream(self, body: object = None) -> Any:
        """The response to a streamed chat, as an asynchronous context."""
        return self.client.post(
            f"http://{self.address}{CHAT}", json=STREAM if body is None else body
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        host, _, port = self.address.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def raw(self, request: bytes) -> Answer:
        """The answer to bytes."""
        reader, writer = await self.connect()
        try:
            writer.write(request)
            async with asyncio.timeout(PATIENCE):
                return await read_answer(reader)
        finally:
            writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """An answer from a bare connection: as long as its headers say, or until the connection ends."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().rstrip().split("\r\n")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, _, value = line.partition(": ")
        headers.add(name, value)
    length = headers.get("Content-Length")
    body = await (reader.read() if length is None else reader.readexactly(int(length)))
    return Answer(int(first.split(" ")[1]), headers, body)
