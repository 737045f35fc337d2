"""One request on its way to an answer: who is asked, who is asked next, and when to stop."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Self

from ..core.errors import (
    GatewayError,
    RateLimitError,
    UpstreamAuthError,
)
from ..core.events import Event, Passthrough, Started, Usage
from ..core.operations import Request
from ..core.record import RequestRecord
from .attachments import Attachments
from .call import Call
from .candidates import Candidate
from .choice import Place, places, ready
from .counted_call import CountedCall
from .credentials import Credential
from .desk import Desk
from .emulation import EmulatedCall
from .expiry import NEVER, Expiry
from .fallback import Fallback
from .hedge import Hedge
from .probe import Probe
from .snapshot import Snapshot
from .trip import Trip

_log = logging.getLogger(__name__)


class Answering:
    """The events of an answer: ``Started``, then those of the provider that gives it.

    Providers are asked in order until one yields its first event; after that an error is final.
    """

    __slots__ = (
        "_attachments",
        "_call",
        "_desk",
        "_expiry",
        "_fallback",
        "_first",
        "_hedge",
        "_now",
        "_over",
        "_record",
        "_request",
        "_trip",
    )

    def __init__(self, desk: Desk, now: Snapshot, request: Request, record: RequestRecord) -> None:
        self._desk = desk
        self._now = now
        self._request = request
        self._record = record
        self._trip: Trip | None = None
        self._fallback: Fallback | None = None
        self._call: Call | CountedCall | EmulatedCall | Probe | Hedge | None = None
        self._hedge: Hedge | None = None
        self._first: Event | None = None
        self._over = False
        self._attachments: Attachments | None = None
        self._expiry = NEVER

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        call = self._call
        if call is None:
            if self._over:
                raise StopAsyncIteration
            self._over = True  # a second time there is nothing to begin
            return await self._begin()
        event = self._first
        if event is not None:
            self._first = None
        else:
            try:
                event = await call.next()
            except GatewayError as error:
                await self._end(error)
                raise
            if event is None:
                await self._end(None)
                raise StopAsyncIteration
        if type(event) is Passthrough:
            if event.usage is not None:
                self._record.usage = event.usage
        elif type(event) is Usage:
            self._record.usage = event
        return event

    async def aclose(self) -> None:
        """Stop whoever speaks."""
        self._over = True
        trip, self._trip, self._call = self._trip, None, None
        if self._fallback is not None:
            self._fallback.leave()
        if trip is not None:
            self._record.pieces += trip.call.pieces
            if self._hedge is not None:
                await self._hedge.aclose()
            await trip.cancelled()

    async def _end(self, error: GatewayError | None) -> None:
        trip, self._trip, self._call = self._trip, None, None
        assert trip is not None  # noqa: S101  (there was a call)
        self._record.pieces += trip.call.pieces
        if self._hedge is not None:
            await self._hedge.aclose()
        if error is not None:
            await trip.failed(error)
        else:
            await trip.succeeded(self._record.usage)
        if self._fallback is not None:
            self._fallback.leave()

    async def _begin(self) -> Event:
        """The first event of whoever gives one."""
        desk = self._desk
        desk.retries.request()
        search = self._now.catalog.candidates(self._request)
        timeout = self._request.routing.timeout
        if timeout is None:
            candidates = await search
        else:
            self._expiry = Expiry(timeout)
            candidates = await self._expiry.bound(search)
        self._attachments = Attachments.of(self._request, candidates[0], self._now)
        while True:
            try:
                order = ready(
                    places(candidates, desk.health, desk.credentials, desk.quarantine),
                    desk.credentials,
                )
            except GatewayError:
                if self._fallback is not None:
                    raise self._fallback.failure from None
                raise
            while order:
                place = order.pop(0)
                if self._fallback is not None and not await self._fallback.may_ask(place):
                    continue
                try:
                    if self._now.settings.routing.hedge and (
                        after := self._slow_after(place, order)
                    ):
                        return await self._race(place, order, after)
                    return await self._ask(place, patient=not order)
                except GatewayError as error:
                    if not self._goes_on(error):
                        candidates = [one for one in candidates if one is not place.candidate]
                    if order:
                        _log.warning("%s; asking %s", error.message, order[0].candidate.entry.name)
            fallback = self._fallback
            assert fallback is not None  # noqa: S101  (nobody is ready and no error: ``ready`` raises)
            wait = fallback.wait() if candidates else None
            if wait is None:
                raise fallback.failure
            _log.warning("%s; trying again in %.2f s", fallback.failure.message, wait)
            await asyncio.sleep(wait)

    def _goes_on(self, error: GatewayError) -> bool:
        """Whether who failed with *error* may be asked again later; the error when nobody is any more."""
        fallback = self._fallback
        if fallback is None:
            fallback = Fallback(self._desk, self._now, self._request, self._expiry, error)
            self._fallback = fallback
        again = fallback.failed(error)
        if not error.fallback or self._expiry.passed():
            raise error
        return again

    async def _ask(self, place: Place, *, patient: bool) -> Event:
        """The first event of one candidate, with each of its keys in turn while they are refused."""
        candidate = place.candidate
        if candidate.own_key is not None:
            return await self._call_with(place, Credential(candidate.own_key), patient=patient)
        credentials = self._desk.credentials
        keys = credentials.of(candidate.entry)
        if len(keys) == 1 and not keys[0].rests:
            return await self._call_with(place, keys[0], patient=patient)
        for others in reversed(range(len(keys))):
            credential = credentials.take(candidate.entry, candidate.model)
            try:
                return await self._call_with(place, credential, patient=patient)
            except (RateLimitError, UpstreamAuthError) as error:
                all_rest = not others or credentials.wait(candidate.entry, candidate.model)
                if all_rest or self._expiry.passed():
                    raise
                _log.warning("%s; using another key", error.message)
        raise AssertionError("a provider has at least one key, or None for it")

    async def _call_with(self, place: Place, credential: Credential, *, patient: bool) -> Event:
        record = self._record
        request = await self._request_for(place.candidate)
        trip = Trip(self._desk, self._now, request, place, credential)
        record.attempts.append(trip.attempt)
        if trip.turnstile is not None:
            queue_timeout = self._now.settings.server.queue_timeout
            await trip.wait(self._expiry.shorter(queue_timeout) if patient else 0.0)
        trip.begin(self._expiry)
        try:
            event = await trip.call.next()
        except GatewayError as error:
            await trip.failed(error)
            raise
        except BaseException:
            await trip.cancelled()
            raise
        assert event is not None  # noqa: S101  (without a finish it would have raised)
        self._call = trip.call
        return self._started(trip, event)

    async def _request_for(self, candidate: Candidate) -> Request:
        """The request, with the content of what it names by URL where that is needed."""
        if self._attachments is None:
            return self._request
        return await self._attachments.request_for(candidate, self._expiry.left())

    def _started(self, trip: Trip, event: Event) -> Started:
        record, attempt = self._record, trip.attempt
        now = time.monotonic()
        attempt.ttft = now - attempt.started
        record.ttft = now - record.started
        emulated, headers = trip.call.emulated, None
        self._trip = trip
        if type(event) is Started:  # what the provider has to say of it; the first is to come
            emulated, headers = (*event.emulated, *emulated), event.headers
        else:
            self._first = event
        record.emulated = emulated
        return Started(attempt.provider, attempt.model, len(record.attempts), emulated, headers)

    def _slow_after(self, place: Place, others: list[Place]) -> float | None:
        """Seconds after which a second provider is asked as well; None when none is to be."""
        hedges = self._desk.hedges
        hedges.share = self._now.settings.routing.hedge_share
        hedges.request()
        if not others or place.candidate.own_key is not None or self._attachments is not None:
            return None
        if self._fallback is not None and self._fallback.is_trial:
            return None
        return place.standing.model.slow_after

    async def _race(self, place: Place, others: list[Place], after: float) -> Event:
        """The first event of a candidate, or of the next one when that is slow to begin."""
        first = await self._enter(place)
        hedge = Hedge()
        try:
            trip, event = await hedge.begin(first, partial(self._enter_second, others), after)
        except BaseException:
            await hedge.aclose()
            raise
        self._hedge = self._call = hedge
        return self._started(trip, event)

    async def _enter_second(self, others: list[Place]) -> Trip | None:
        """Begin a call that is not owed to anybody; None when that would cost too much."""
        if others[0].candidate.own_key is not None or not self._desk.hedges.spend():
            return None
        try:
            return await self._enter(others.pop(0))
        except GatewayError:
            return None

    async def _enter(self, place: Place) -> Trip:
        """A call of a candidate that has begun, without any wait for a place."""
        candidate = place.candidate
        request = await self._request_for(candidate)
        credential = self._desk.credentials.take(candidate.entry, candidate.model)
        trip = Trip(self._desk, self._now, request, place, credential)
        self._record.attempts.append(trip.attempt)
        if trip.turnstile is not None:
            await trip.wait(0.0)
        trip.begin(self._expiry)
        return trip
