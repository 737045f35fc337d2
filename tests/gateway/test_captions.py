"""Images are described where nobody sees them: once, a few at a time, and at a price that is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import (
    BadRequestError,
    Capability,
    ChatRequest,
    Event,
    Finish,
    GatewayError,
    Message,
    RateLimitError,
    Routing,
    TextDelta,
    TextPart,
    Tool,
    UnsupportedError,
    UpstreamError,
    UpstreamTimeoutError,
    Usage,
)
from g4f_aio.core.events import EventStream, RefusalDelta, Started
from g4f_aio.core.messages import ImagePart, Part
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.core.record import RequestRecord
from g4f_aio.gateway import captions
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.settings import ModelTarget, ProviderSettings, RoutingSettings, Settings

Say = Callable[[ChatRequest], Any]


@attrs.frozen(kw_only=True)
class Blind(Provider):
    """Repeats what it was told."""

    name: ClassVar[str] = "blind"

    seen: list[ChatRequest] = attrs.field(factory=list)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.seen.append(request)
        yield TextDelta(request.last_user_text)
        yield Usage(10, 1)
        yield Finish()


@attrs.frozen(kw_only=True)
class Seeing(Provider):
    """Says of an image what its *says* has of it: events, or an error."""

    name: ClassVar[str] = "seeing"
    capabilities: ClassVar[Capability] = Capability.CHAT | Capability.STREAM | Capability.VISION

    says: Say = lambda _: (TextDelta("A "), TextDelta("cat."), Finish(), Usage(100, 5))
    seen: list[ChatRequest] = attrs.field(factory=list)
    most: list[int] = attrs.field(factory=list)
    running: set[int] = attrs.field(factory=set)

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.seen.append(request)
        self.running.add(id(request))
        try:
            for _ in range(3):  # so that others get to run
                await asyncio.sleep(0)
            self.most.append(len(self.running))
            said = self.says(request)
            if isinstance(said, Exception):
                raise said
            if isinstance(said, asyncio.Event):
                await said.wait()
            for event in said:
                yield event
        finally:
            self.running.discard(id(request))


class House:
    """A gateway with a blind provider and one that sees, and what it noted about the last request."""

    def __init__(self, say: Say | None = None, **routing: Any) -> None:
        self.blind = Blind()
        self.eye = Seeing() if say is None else Seeing(says=say)
        settings: Any = {"caption_model": "eye:m", "detect_local": False, "retries": 0}
        chain = (ModelTarget("blind", "m"), ModelTarget("eye", "m"))
        self.settings = Settings(
            routing=RoutingSettings(**settings | routing), models={"chain": chain}
        )
        self.entries = [
            Entry(name, name, "tests", "1", ProviderSettings(name), provider, chosen=True)
            for name, provider in (("blind", self.blind), ("eye", self.eye))
        ]
        registry = Registry.of(*self.entries, settings=self.settings)
        self.gateway = Gateway(self.settings, registry, None)  # type: ignore[arg-type]
        self.record = RequestRecord("", "", "", "")

    async def ask(self, *urls: str, model: str = "blind:m", **fields: Any) -> list[Event]:
        """All events of the answer to a question about the images at these URLs."""
        parts: tuple[Part, ...] = (TextPart("What is it?"), *map(ImagePart, urls))
        request = ChatRequest(model, (Message("user", parts),), **fields)
        self.record = RequestRecord("", "", "", "")
        async with aclosing(self.gateway.chat(request, self.record)) as events:
            return [event async for event in events]


def data(number: int = 0) -> str:
    """The URL of an image that is sent along."""
    return f"data:image/png;base64,{number:04}"


async def test_an_image_is_described_for_who_does_not_see_it() -> None:
    house = House()
    started, answer, finish, usage = await house.ask(data())
    assert started == Started("blind", "m", 1, ("vision",))
    assert isinstance(answer, TextDelta)
    assert answer.text.startswith("What is it?[Image 1, which you cannot see.")
    assert "\nA cat.]" in answer.text
    assert (finish, usage) == (Finish(), Usage(110, 6))
    assert (house.record.emulated, house.record.usage) == (("vision",), usage)
    (asked,) = house.eye.seen
    assert ImagePart(data()) in asked.messages[0].parts


async def test_who_sees_it_gets_it_himself() -> None:
    house = House()
    events = await house.ask(data(), model="eye:m")
    assert events[0] == Started("eye", "m", 1)
    assert len(house.eye.seen) == 1
    assert house.blind.seen == []


async def test_who_sees_goes_first() -> None:
    house = House()
    assert (await house.ask(data(), model="chain"))[0] == Started("eye", "m", 1)
    assert house.blind.seen == []


async def test_a_request_without_images_is_no_matter() -> None:
    house = House()
    assert (await house.ask())[0] == Started("blind", "m", 1)
    assert house.eye.seen == []


@pytest.mark.parametrize(
    ("routing", "wish"),
    [
        ({"caption_model": None}, None),
        ({"caption_model": None}, True),
        ({"emulate": False}, None),
        ({}, False),
    ],
)
async def test_without_the_setting_or_where_it_is_forbidden_it_is_refused(
    routing: dict[str, Any],
    wish: bool | None,  # noqa: FBT001
) -> None:
    house = House(**routing)
    with pytest.raises(UnsupportedError, match="blind cannot supply: vision") as caught:
        await house.ask(data(), routing=Routing(emulate=wish))
    assert caught.value.param == "messages"
    assert house.eye.seen == []


async def test_what_else_is_lacking_is_supplied_as_well() -> None:
    house = House()
    events = await house.ask(data(), tools=(Tool("f"),))
    assert events[0] == Started("blind", "m", 1, ("vision", "tools"))
    assert events[-1] == Usage(110, 6)


async def test_an_image_is_described_once() -> None:
    house = House()
    await house.ask(data(1), data(2), data(1))
    assert len(house.eye.seen) == 2
    events = await house.ask(data(1), data(3))
    assert len(house.eye.seen) == 3
    assert events[-1] == Usage(110, 6)
    # nothing is asked, so nothing is paid
    assert (await house.ask(data(3)))[-1] == Usage(10, 1)


async def test_behind_a_url_there_may_be_another_image_by_now() -> None:
    house = House()
    for _ in range(2):
        await house.ask("https://example.org/cat.png")
    assert len(house.eye.seen) == 2


async def test_the_descriptions_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "KEPT", 2)
    house = House()
    for number in (1, 2, 1, 3):
        await house.ask(data(number))
    assert len(house.eye.seen) == 3
    await house.ask(data(1))
    assert len(house.eye.seen) == 3
    await house.ask(data(2))
    assert len(house.eye.seen) == 4


async def test_a_description_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "LENGTH", 5)
    house = House()
    for _ in range(2):
        await house.ask(data())
    assert len(house.eye.seen) == 2


async def test_only_a_few_are_described_at_a_time_and_in_order() -> None:
    def number(asked: ChatRequest) -> tuple[Event, ...]:
        image = asked.messages[0].parts[1]
        assert isinstance(image, ImagePart)
        return TextDelta(image.url[-4:]), Finish()

    house = House(number)
    events = await house.ask(*map(data, range(10)))
    assert max(house.eye.most) == captions.AT_ONCE
    assert isinstance(events[1], TextDelta)
    told = [line.rstrip("]") for line in events[1].text.splitlines()]
    assert [line[:4] for line in told[1:]] == [f"{number:04}" for number in range(10)]


async def test_too_many_are_refused() -> None:
    house = House()
    with pytest.raises(UnsupportedError, match="at most 20 images"):
        await house.ask(*map(data, range(captions.MOST + 1)))
    assert house.eye.seen == []


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (UpstreamError("broken"), UpstreamError, 502),
        (RateLimitError("spent", retry_after=3.0), RateLimitError, 429),
        (BadRequestError("no image", param="messages[0]"), BadRequestError, 400),
    ],
)
async def test_where_it_fails_the_request_fails_and_says_so(
    error: GatewayError, kind: type[GatewayError], status: int
) -> None:
    message = error.message
    house = House(lambda _: error)
    with pytest.raises(kind) as caught:
        await house.ask(data())
    assert caught.value.message == f"The model that describes images (eye:m) failed: {message}"
    assert (caught.value.status, caught.value.retry_after) == (status, error.retry_after)
    assert house.blind.seen == []
    assert house.eye.running == set()


@pytest.mark.parametrize("model", ["nobody:m", "unknown", "blind:m"])
async def test_a_model_that_is_none_or_sees_nothing_is_the_operators_mistake(model: str) -> None:
    with pytest.raises(UpstreamError, match="model that describes images") as caught:
        await House(caption_model=model).ask(data())
    assert caught.value.status == 502


async def test_one_that_says_nothing_has_failed() -> None:
    with pytest.raises(UpstreamError, match="it said nothing"):
        await House(lambda _: (TextDelta(" \n"), Finish())).ask(data())


async def test_one_that_declines_is_quoted() -> None:
    house = House(lambda _: (RefusalDelta("I'd rather not."), Finish()))
    events = await house.ask(data())
    assert isinstance(events[1], TextDelta)
    assert "I'd rather not." in events[1].text


async def test_the_time_for_the_answer_is_that_for_both() -> None:
    house = House(lambda _: asyncio.Event())
    with pytest.raises(UpstreamTimeoutError):
        await house.ask(data(), routing=Routing(timeout=0.05))
    assert house.eye.running == set()
    house = House()
    await house.ask(data(), routing=Routing(timeout=50.0))
    (described,), (answered,) = house.eye.seen, house.blind.seen
    assert described.routing.timeout is not None
    assert answered.routing.timeout is not None
    assert answered.routing.timeout <= described.routing.timeout <= 50


async def test_the_callers_keys_are_not_for_it() -> None:
    house = House()
    await house.ask(data(), routing=Routing(api_keys={"": "sk-caller"}))
    assert house.eye.seen[0].routing.api_keys == {}


async def test_who_leaves_leaves_nothing_running() -> None:
    under_way = asyncio.Semaphore(0)

    def say(_: ChatRequest) -> asyncio.Event:
        under_way.release()
        return asyncio.Event()

    house = House(say)
    task = asyncio.ensure_future(house.ask(data(1), data(2)))
    for _ in range(2):
        await under_way.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert house.eye.running == set()
