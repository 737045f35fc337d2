"""The provider contract: what a plug-in subclasses, and what a call may use."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Literal, Protocol

import attrs

from .completing import as_chats
from .errors import UnsupportedError
from .events import EventStream
from .fetch import Fetch
from .messages import Part
from .models import Capability, ModelInfo
from .operations import CompletionRequest, EmbeddingRequest, Embeddings, ModerationRequest
from .requests import ChatRequest
from .upstream_errors import error_of

#: what can be done with a response that an upstream keeps
ResponseAction = Literal["get", "cancel", "delete"]
LOG = logging.getLogger("g4f_aio.providers")


@attrs.frozen
class Timeouts:
    """How long a call may wait, in seconds.

    *connect*: for a connection. *headers*: from the request sent to the answer's status.
    *first_token*: from the call to its first event. *idle*: between two events; comments of the
    upstream do not count. *total*: for the whole answer.
    """

    connect: float = 5.0
    headers: float = 30.0
    first_token: float = 120.0
    idle: float = 60.0
    total: float = 600.0


class UpstreamResponse(Protocol):
    """An upstream's answer. Reading past a cut connection raises UpstreamError."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers; look-up ignores case."""

    async def read(self) -> bytes:
        """The whole body."""

    async def json(self) -> Any:
        """The whole body as JSON; UpstreamError when it is none."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, one item per read."""

    def lines(self) -> AsyncIterator[bytes]:
        """The body by lines, without their ends; a line may be of any length up to the limit."""

    def frames(self) -> AsyncIterator[bytes]:
        """Whole server-sent events, one or many per read, byte for byte."""

    async def end(self) -> None:
        """Wait a little for the end of a body of which nothing more is wanted.

        A connection whose answer came to its end can be used again.
        """


class HttpClient(Protocol):
    """The only way out: one pool, no cookies, no redirects, the timeouts of the call."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
    ) -> AbstractAsyncContextManager[UpstreamResponse]:
        """Send a request; leaving the context before the body's end closes the connection."""

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[UpstreamResponse]:
        """``request("GET", …)``."""

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
    ) -> AbstractAsyncContextManager[UpstreamResponse]:
        """``request("POST", …)``."""


@attrs.frozen
class CallContext:
    """What one call of a provider may use.

    *provider* is the name this instance goes by. *credential* is the key to send, the caller's own
    or the server's; None when there is none, and *own_credential* tells which. *facts* describes this
    gateway to the providers that answer about it. *fetch* is the way to what a request or an answer
    names by URL, and nobody else's; None outside of a server.
    """

    http: HttpClient
    provider: str
    credential: str | None = attrs.field(default=None, repr=False)
    own_credential: bool = False
    timeouts: Timeouts = Timeouts()
    log: logging.Logger = LOG
    facts: Facts | None = attrs.field(default=None, repr=False)
    fetch: Fetch | None = attrs.field(default=None, repr=False)

    async def check(self, response: UpstreamResponse) -> None:
        """Return when the status is a success; otherwise raise the error that fits it."""
        if response.status >= 300:  # noqa: PLR2004
            raise error_of(
                response.status,
                response.headers,
                await response.read(),
                provider=self.provider,
                credential=self.credential,
                own_credential=self.own_credential,
            )


@attrs.frozen
class ProviderFacts:
    """How one provider stands: for listings and for the assistant that answers about the gateway.

    *configured* is false while something it needs (a key, an address) is missing; *missing* says
    what. *error* says why a broken one could not be loaded.
    """

    name: str
    label: str
    description: str
    configured: bool
    missing: str | None
    error: str | None
    local: bool
    models: tuple[str, ...]
    url: str | None = None


class Facts(Protocol):
    """What a gateway knows about itself."""

    @property
    def version(self) -> str:
        """This program's version."""

    @property
    def address(self) -> str:
        """The base URL it answers at."""

    async def providers(self) -> tuple[ProviderFacts, ...]:
        """Every provider it knows, the broken ones included."""


@attrs.frozen(kw_only=True)
class Provider:
    """Base of every provider: subclass it, decorate with ``attrs.frozen(kw_only=True)``.

    The attrs fields of a subclass are its settings, filled from its table in the settings file.
    The class variables say what it is:

    - *name*: what it is called on the wire, unless the settings call it otherwise
    - *label*, *description*, *url*: for people
    - *capabilities*: what its models can do, unless a ModelInfo says otherwise
    - *key*: ``"none"``, ``"optional"`` or ``"required"``; it comes with each call as
      ``ctx.credential``, from the caller, the settings or the variable ``<NAME>_API_KEY``
    - *local*: whether it stays on this machine or network as a rule
    - *opt_in*: never used unless the settings name it, for services that need no key
    - *ignores*: parameters of a chat that cannot be sent on, out of ``stop``, ``max_tokens`` and
      ``system`` (the role); the gateway supplies them then
    - *defaults*: its models for what is no chat, where nobody names one, by capability
    """

    name: ClassVar[str]
    label: ClassVar[str] = ""
    description: ClassVar[str] = ""
    url: ClassVar[str | None] = None
    capabilities: ClassVar[Capability] = Capability.CHAT | Capability.STREAM
    key: ClassVar[str] = "none"
    local: ClassVar[bool] = False
    opt_in: ClassVar[bool] = False
    ignores: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Mapping[Capability, str]] = {}

    def missing(self) -> str | None:
        """What its settings lack before it can work, in one sentence; None when nothing."""
        return None

    def models(self) -> tuple[ModelInfo, ...]:
        """The models known without asking anybody; the first is the default one."""
        return ()

    async def fetch_models(self, ctx: CallContext) -> tuple[ModelInfo, ...]:
        """The models its upstream lists now. The catalogue calls and caches it."""
        return self.models()

    async def count_tokens(self, request: ChatRequest, ctx: CallContext) -> int | None:
        """How many tokens its model reads for a request; None where nobody there counts them."""
        return None

    def speaks(self, dialect: str) -> bool:
        """Whether its upstream gets requests of that dialect as they are, state and all."""
        return False

    def takes_url(self, part: Part, request: ChatRequest) -> bool:
        """Whether its upstream itself fetches the content of *part*, which is only there by URL.

        Where it does not, this gateway does: an ImagePart, AudioPart or FilePart of the request that
        ``chat`` gets has the content then, as if the client had sent that.
        """
        return False

    async def kept_response(
        self, response_id: str, ctx: CallContext, action: ResponseAction = "get"
    ) -> dict[str, Any]:
        """A response that its upstream keeps: what it says to the *action*."""
        raise UnsupportedError(f"{ctx.provider} keeps no responses", provider=ctx.provider)

    def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """Answer a chat request; implement it as ``async def`` with ``yield``."""
        raise UnsupportedError(f"{ctx.provider} does not chat", provider=ctx.provider)

    def complete(self, request: CompletionRequest, ctx: CallContext) -> EventStream:
        """Continue texts, each by a chat unless a provider knows better."""
        return as_chats(request, ctx, self.chat)

    async def embed(self, request: EmbeddingRequest, ctx: CallContext) -> Embeddings:
        """A vector for each text; for providers with ``Capability.EMBEDDINGS``."""
        raise UnsupportedError(f"{ctx.provider} makes no embeddings", provider=ctx.provider)

    async def moderate(self, request: ModerationRequest, ctx: CallContext) -> bytes:
        """The judgement as OpenAI writes it; for providers with ``Capability.MODERATIONS``."""
        raise UnsupportedError(f"{ctx.provider} moderates nothing", provider=ctx.provider)
