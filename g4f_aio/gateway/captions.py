"""Images described by a model that sees, for one that does not."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import attrs

from ..core.errors import (
    GatewayError,
    ModelNotFoundError,
    ProviderNotFoundError,
    UnsupportedError,
    UpstreamError,
)
from ..core.events import Event, RefusalDelta, Started, TextDelta, Usage
from ..core.messages import ImagePart
from ..core.models import Capability
from ..core.record import RequestRecord
from ..core.requests import ChatRequest
from .answering import Answering
from .desk import Desk
from .expiry import Expiry
from .polyfills.usage import Meter, both
from .polyfills.vision import NAME, described, digest, images_of, question
from .snapshot import Snapshot

#: different images that are described for one request
MOST = 20
#: how many of them at a time
AT_ONCE = 4
#: descriptions that are kept, and characters that one of them may have for that
KEPT, LENGTH = 500, 20_000


class Captions:
    """Answers requests whose images nobody sees who may answer.

    Descriptions are kept as long as it lives, so that a conversation that goes on costs none again.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        #: by model and image, the one that was used last at the end
        self._known: OrderedDict[tuple[str, bytes], str] = OrderedDict()

    async def chat(
        self, request: ChatRequest, record: RequestRecord, now: Snapshot
    ) -> AsyncGenerator[Event, None]:
        """The events as of ``Answering``, with the usage of all calls together.

        Where somebody sees the images by himself, nothing is described.
        """
        expiry = Expiry(request.routing.timeout)
        candidates = await expiry.bound(now.catalog.candidates(request))
        model = now.settings.routing.caption_model
        if model is None or not any(Capability.VISION in one.supplied for one in candidates):
            async with aclosing(Answering(self._desk, now, request, record)) as events:
                async for event in events:
                    yield event
            return
        captions, usage = await self._describe(images_of(request), model, expiry, now)
        routing = attrs.evolve(request.routing, timeout=expiry.left())
        request = attrs.evolve(described(request, captions), routing=routing)
        meter = Meter(request)
        async with aclosing(Answering(self._desk, now, request, record)) as events:
            async for event in events:
                if isinstance(event, Started):
                    record.emulated = (NAME, *event.emulated)
                    yield attrs.evolve(event, emulated=record.emulated)
                elif not meter.see(event):
                    yield event
        record.usage = both(usage, meter.usage)
        yield record.usage

    async def _describe(
        self, images: Sequence[ImagePart], model: str, expiry: Expiry, now: Snapshot
    ) -> tuple[dict[ImagePart, str], Usage | None]:
        """A description of each, and what they took."""
        if len(images) > MOST:
            raise UnsupportedError(
                f"$.messages: at most {MOST} images where they have to be described",
                param="messages",
            )
        turns = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.TaskGroup() as tasks:
                under_way = [
                    tasks.create_task(self._caption(image, model, expiry, now, turns))
                    for image in images
                ]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        usage: Usage | None = None
        captions = {}
        for image, task in zip(images, under_way, strict=True):
            captions[image], more = task.result()
            usage = usage if more is None else both(usage, more)
        return captions, usage

    async def _caption(
        self,
        image: ImagePart,
        model: str,
        expiry: Expiry,
        now: Snapshot,
        turns: asyncio.Semaphore,
    ) -> tuple[str, Usage | None]:
        """The description of one image; what it took is None where it was known."""
        async with turns:
            known = await asyncio.to_thread(digest, image)
            key = None if known is None else (model, known)
            if key is not None and key in self._known:
                self._known.move_to_end(key)
                return self._known[key], None
            asked = question(image, model, expiry.left())
            try:
                text, usage = await self._ask(asked, now)
            except GatewayError as error:
                raise _named(error, model) from None
        if key is not None and len(text) <= LENGTH:
            self._known[key] = text
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return text, usage

    async def _ask(self, asked: ChatRequest, now: Snapshot) -> tuple[str, Usage]:
        """What the model says, and what that took."""
        texts = []
        meter = Meter(asked)
        record = RequestRecord("", "", "", asked.model)
        async with aclosing(Answering(self._desk, now, asked, record)) as events:
            async for event in events:
                meter.see(event)
                if isinstance(event, TextDelta | RefusalDelta):
                    texts.append(event.text)
        text = "".join(texts).strip()
        if not text:
            raise UpstreamError("it said nothing")
        return text, meter.usage


def _named(error: GatewayError, model: str) -> GatewayError:
    """The *error*, saying whose it is. What is wrong with the model is no fault of the request."""
    message = f"The model that describes images ({model}) failed: {error.message}"
    match error:
        case UnsupportedError() | ModelNotFoundError() | ProviderNotFoundError():
            return UpstreamError(message, provider=error.provider)
        case _:
            error.message = message
            error.args = (message,)
            error.param = None if error.param is None else "messages"
            return error
