"""Providers that do as they are told, call by call, and requests to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, ClassVar

import attrs

from g4f_aio import ChatRequest, Provider, Routing
from g4f_aio.core.events import Event, EventStream, Finish, TextDelta
from g4f_aio.core.provider import CallContext
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway.answering import Answering
from g4f_aio.gateway.budget import RetryBudget
from g4f_aio.gateway.credentials import CredentialBook
from g4f_aio.gateway.desk import Desk
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.health import HealthBook, Standing
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.settings import (
    ModelTarget,
    ProviderSettings,
    RoutingSettings,
    ServerSettings,
    Settings,
)
from g4f_aio.settings.secret import SecretStr
from tests.gateway.clock import Clock

#: an event, an error to raise, seconds to wait, something to wait for, or something to do
Step = Event | BaseException | float | asyncio.Event | Callable[[], None]
#: for who should be as good as never done
LONG = 60.0


def says(*words: str) -> tuple[Step, ...]:
    """A whole answer."""
    return (*map(TextDelta, words), Finish())


@attrs.define
class Stage:
    """What the calls of a provider play: one after the other, and the last one for all further.

    *by_key* is for the calls with that key. It notes each call's key and model.
    """

    plays: tuple[tuple[Step, ...], ...]
    by_key: dict[str, tuple[Step, ...]] = attrs.field(factory=dict)
    keys: list[str | None] = attrs.field(factory=list)
    models: list[str] = attrs.field(factory=list)
    contexts: list[CallContext] = attrs.field(factory=list)
    running: int = 0
    most: int = 0
    begun: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def calls(self) -> int:
        """How many there were."""
        return len(self.keys)

    def next(self) -> tuple[Step, ...]:
        """What the newest call plays."""
        key = self.keys[-1]
        if key in self.by_key:
            return self.by_key[key]
        return self.plays[min(self.calls, len(self.plays)) - 1]


@attrs.frozen(kw_only=True)
class Actor(Provider):
    """Plays what its stage has."""

    name: ClassVar[str] = "actor"
    key: ClassVar[str] = "optional"

    stage: Stage

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        stage = self.stage
        stage.keys.append(ctx.credential)
        stage.models.append(request.model)
        stage.contexts.append(ctx)
        stage.running += 1
        stage.most = max(stage.most, stage.running)
        stage.begun.set()
        try:
            for step in stage.next():
                match step:
                    case float():
                        await asyncio.sleep(step)
                    case asyncio.Event():
                        await step.wait()
                    case BaseException():
                        raise step
                    case _ if callable(step):
                        step()
                    case _:
                        yield step
        finally:
            stage.running -= 1


class Theatre:
    """Providers ``a``, ``b``, ``c`` … in this order, behind the model ``best``."""

    def __init__(
        self,
        *stages: Stage,
        server: ServerSettings | None = None,
        routing: RoutingSettings | None = None,
        providers: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.stages = stages
        self.clock = Clock()
        self.desk = Desk(
            HealthBook(self.clock), CredentialBook(self.clock), RetryBudget(clock=self.clock)
        )
        self.names = "abcdefgh"[: len(stages)]
        chain = tuple(ModelTarget(name, "m") for name in self.names)
        self.settings = Settings(
            server=server or ServerSettings(),
            routing=routing or RoutingSettings(),
            models={"best": chain},
        )
        entries = [
            Entry(
                name,
                "actor",
                "tests",
                "1",
                ProviderSettings("actor", **(providers or {}).get(name, {})),
                Actor(stage=stage),
                chosen=True,
            )
            for name, stage in zip(self.names, stages, strict=True)
        ]
        self.registry = Registry.of(*entries, settings=self.settings)
        self.gateway = Gateway(self.settings, self.registry, None)  # type: ignore[arg-type]
        self.record = RequestRecord("", "", "", "")

    def standing(self, name: str) -> Standing:
        """How a provider has been doing with the model."""
        return self.desk.health.standing(name, "m")

    def entry(self, name: str) -> Entry:
        """A provider as the registry has it."""
        found = self.registry.get(name)
        assert found is not None
        return found

    def answering(self, *, stream: bool = True, routing: Routing | None = None) -> Answering:
        """A request; what is noted about it is in ``record``."""
        request = ChatRequest("best", (), stream=stream)
        if routing is not None:
            request = attrs.evolve(request, routing=routing)
        self.record = RequestRecord("", "", "", "")
        return Answering(self.desk, self.gateway.now, request, self.record)

    async def ask(self, *, stream: bool = True, routing: Routing | None = None) -> list[Event]:
        """All events of the answer to a request."""
        async with aclosing(self.answering(stream=stream, routing=routing)) as events:
            return [event async for event in events]

    async def text(self, **wishes: Any) -> str:
        """The text of the answer to a request."""
        events = await self.ask(**wishes)
        return "".join(event.text for event in events if isinstance(event, TextDelta))

    @property
    def calls(self) -> list[int]:
        """How often each provider was called."""
        return [stage.calls for stage in self.stages]

    @property
    def outcomes(self) -> list[tuple[str, str, str | None]]:
        """Provider, outcome and code of each attempt of the last request."""
        return [(one.provider, one.outcome, one.code) for one in self.record.attempts]

    def demand_quiet(self) -> None:
        """Nothing is under way, and nobody holds a place."""
        for name, stage in zip(self.names, self.stages, strict=True):
            assert stage.running == 0
            standing = self.standing(name)
            assert (standing.model.running, standing.provider.running) == (0, 0)
            entry = self.entry(name)
            if entry.settings.max_requests is not None:
                turnstile = self.desk.turnstile(entry, 0)
                assert (turnstile.inside, turnstile.in_line) == (0, 0)


def stage(*plays: tuple[Step, ...], **by_key: tuple[Step, ...]) -> Stage:
    """What a provider plays."""
    return Stage(plays, by_key)


def keys(*values: str) -> tuple[SecretStr, ...]:
    """Keys as settings have them."""
    return tuple(map(SecretStr, values))
