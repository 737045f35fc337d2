"""Microsoft Copilot over the web page's own WebSocket, with the user's own session."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import aclosing
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import attrs
from yarl import URL

from g4f_aio import (
    CallContext,
    Capability,
    ChatRequest,
    ConversationState,
    EventStream,
    Finish,
    GatewayError,
    ModelInfo,
    ModelNotFoundError,
    Provider,
    Suggestions,
    Title,
    UpstreamError,
)
from g4f_aio.providers.upstream import Client

from .answer import Answer
from .chat_socket import Socket, open_socket
from .faults import Faults
from .prompt import prompt_of
from .session import Session, SessionError, checked_token
from .session_file import SessionFile

#: characters of a conversation's id, at most
ID_LENGTH = 200
_REASONS = Capability.CHAT | Capability.STREAM | Capability.REASONING
_MODELS = (
    ModelInfo("Copilot", owned_by="Microsoft"),
    ModelInfo("Think Deeper", _REASONS, aliases=("think-deeper",), owned_by="Microsoft"),
    ModelInfo("Smart (GPT-5)", _REASONS, aliases=("smart-gpt-5",), owned_by="Microsoft"),
)
#: the service's mode for every name it is asked by. OpenAI's names, for clients that know no others,
#: are no aliases above: a request that names no provider shall not come here for one of them.
_MODES = {
    "copilot": "chat",
    "chat": "chat",
    "gpt-4": "chat",
    "gpt-4o": "chat",
    "gpt-4o-mini": "chat",
    "think deeper": "reasoning",
    "think-deeper": "reasoning",
    "reasoning": "reasoning",
    "o1": "reasoning",
    "o3-mini": "reasoning",
    "smart (gpt-5)": "smart",
    "smart-gpt-5": "smart",
    "smart": "smart",
    "gpt-5": "smart",
}


@attrs.frozen(kw_only=True)
class Copilot(Provider):
    """The chat of copilot.microsoft.com.

    *cookies_file* is the user's session as his browser exported it, a cookie export in JSON or a
    HAR; a relative path begins in the gateway's working directory. The key is an access token, and
    counts before one in the file. *max_prompt* is in characters. *followups_wait* is how many seconds
    an answer is kept open for the title and the questions that the service sends after it.
    """

    name: ClassVar[str] = "Copilot"
    label: ClassVar[str] = "Microsoft Copilot"
    description: ClassVar[str] = "Microsoft Copilot with your own session of copilot.microsoft.com"
    url: ClassVar[str | None] = "https://copilot.microsoft.com"
    capabilities: ClassVar[Capability] = _REASONS
    key: ClassVar[str] = "optional"
    opt_in: ClassVar[bool] = True
    ignores: ClassVar[frozenset[str]] = frozenset(("max_tokens", "stop"))

    base_url: str = "https://copilot.microsoft.com"
    cookies_file: str | None = attrs.field(default=None, repr=False)
    max_prompt: int = 10_000
    followups_wait: float = 0.5
    _file: SessionFile = attrs.field(init=False, factory=SessionFile, repr=False, eq=False)

    def missing(self) -> str | None:
        if _address(self.base_url) is None:
            return "a base_url that begins with https://, because your session is sent there"
        return None

    def models(self) -> tuple[ModelInfo, ...]:
        return _MODELS

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        mode = _mode(request.model, ctx.provider)
        conversation = _conversation(request, ctx.provider)
        prompt = prompt_of(
            request.messages,
            limit=self.max_prompt,
            provider=ctx.provider,
            continued=conversation is not None,
        )
        session = await self._session(ctx)
        faults = Faults(ctx.provider, session, ctx.own_credential)
        if conversation is None:
            conversation = await self._begin(session, ctx, faults)
        message = {
            "event": "send",
            "conversationId": conversation,
            "content": [{"type": "text", "text": prompt}],
            "mode": mode,
        }
        async with open_socket(
            self._socket_url(session),
            session.cookie_header(),
            timeouts=ctx.timeouts,
            proxy=self._proxy(ctx),
            faults=faults,
        ) as socket:
            await socket.send(json.dumps(message))
            events = self._answer(socket, Answer(faults), ctx)
            told = False
            async with aclosing(events):
                async for event in events:
                    if not told:
                        # not at the end: who stops the answer early goes on from here, too
                        told = True
                        yield ConversationState({"conversation_id": conversation})
                    yield event
        yield Finish("stop")

    async def _answer(self, socket: Socket, answer: Answer, ctx: CallContext) -> EventStream:
        """The events up to the end of the answer, and the notices that follow it."""
        while not answer.done:
            # after an empty challenge there may be silence, and it has a reason
            within = ctx.timeouts.headers if answer.challenged else None
            try:
                frame = await socket.receive(within)
            except (TimeoutError, UpstreamError) as error:
                raise answer.lost(error) from None
            for event in answer.feed(frame):
                yield event
        now = asyncio.get_running_loop().time
        end = now() + self.followups_wait
        while not answer.suggested and (left := end - now()) > 0:
            try:
                events = answer.feed(await socket.receive(left))
            except (TimeoutError, GatewayError):
                return  # the answer is whole all the same
            for event in events:
                match event:
                    case Title() | Suggestions():
                        yield event
                    case _:
                        pass

    async def _session(self, ctx: CallContext) -> Session:
        """The session to use: the caller's own token alone, or what the settings hold."""
        found = Session()
        nobody = Faults(ctx.provider, found, ctx.own_credential)
        if self.cookies_file and not ctx.own_credential:
            try:
                found = await asyncio.to_thread(
                    self._file.load, Path(self.cookies_file), self._base.host or ""
                )
            except SessionError as error:
                raise nobody.refused(f"has no session: its cookies_file {error}") from None
        if ctx.credential:
            try:
                found = Session(checked_token(ctx.credential), found.cookies)
            except SessionError as error:
                raise nobody.refused(f"has no session: its key {error}") from None
        if found.empty:
            raise nobody.refused(
                "has no session: it needs cookies_file, or an access token as its key"
            )
        return found

    async def _begin(self, session: Session, ctx: CallContext, faults: Faults) -> str:
        """The id of a new conversation."""
        body = {
            "timeZone": "UTC",
            "startNewConversation": True,
            "teenSupportEnabled": True,
            "correctPersonalizationSetting": True,
            "deferredDataUseCapable": True,
        }
        url = str(self._base / "c/api/start")
        async with ctx.http.post(url, headers=session.headers(), json=body) as response:
            if response.status >= 300:  # noqa: PLR2004
                raise faults.of_answer(response.status, response.headers, await response.read())
            answered = await response.json()
        match answered:
            case {"currentConversationId": str(found)} | {"id": str(found)} if found:
                return found
            case _:
                raise faults.failed("began no conversation: its answer has no id of one")

    def _socket_url(self, session: Session) -> URL:
        base = self._base
        url = base.with_scheme("ws" if base.scheme == "http" else "wss") / "c/api/chat"
        query = {"api-version": "2", "clientSessionId": str(uuid.uuid4())}
        return url.with_query(query | session.query())

    def _proxy(self, ctx: CallContext) -> str | None:
        """The proxy of the call; the context has no name for it, its client does."""
        match ctx.http:
            case Client(proxy=str(proxy)) if not _is_local(self._base.host):
                return proxy
            case _:
                return None

    @property
    def _base(self) -> URL:
        found = _address(self.base_url)
        if found is None:
            raise UpstreamError(f"{self.name} needs {self.missing()}", provider=self.name)
        return found


def _address(base_url: str) -> URL | None:
    """The URL to call; None when a session must not be sent there."""
    try:
        url = URL(base_url.rstrip("/"))
    except ValueError:
        return None
    if not url.host or url.raw_user or url.raw_password or url.raw_query_string or url.fragment:
        return None
    safe = url.scheme == "https" or (url.scheme == "http" and _is_local(url.host))
    return url if safe else None


def _is_local(host: str | None) -> bool:
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _mode(model: str, provider: str) -> str:
    """The service's word for a model."""
    mode = _MODES.get(model.lower())
    if mode is None:
        names = ", ".join(info.id for info in _MODELS)
        raise ModelNotFoundError(
            f"{provider} has no model {model!r}; it has {names}", param="model", provider=provider
        )
    return mode


def _conversation(request: ChatRequest, provider: str) -> str | None:
    """The id of the conversation that the request goes on with; None for a new one."""
    match request.states.get(provider):
        case {"conversation_id": str(found)} if 0 < len(found) <= ID_LENGTH:
            return found
        case _:
            return None
