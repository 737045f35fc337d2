"""One request on its way to an answer: who is asked, who is asked next, and when to stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, Self

from ..core.errors import GatewayError, RateLimitError, UpstreamAuthError
from ..core.events import Event, Passthrough, Started, Usage
from ..core.models import Capability
from ..core.operations import Request
from ..core.record import RequestRecord
from .attachments import Attachments
from .call import ENDS, Call
from .choice import Place, in_order
from .credentials import Credential
from .desk import Desk
from .expiry import NEVER, Expiry
from .fallback import Fallback
from .hedge import Hedge
from .snapshot import Snapshot
from .trip import Trip

_NOTHING = Capability.NONE
_log = logging.getLogger(__name__)


class Answering:
    """The events of an answer: ``Started``, then those of the provider that gives it.

    Providers are asked in order until one yields its first event; after that an error is final.
    """

    __slots__ = (
        "_attachments",
        "_begun",
        "_desk",
        "_expiry",
        "_fallback",
        "_first",
        "_hedge",
        "_now",
        "_plain",
        "_record",
        "_request",
        "_trip",
    )

    def __init__(self, desk: Desk, now: Snapshot, request: Request, record: RequestRecord) -> None:
        self._desk = desk
        self._now = now
        self._request = request
        self._record = record
        self._begun = False
        #: the call that answers
        self._trip: Trip | None = None
        #: the same as long as nothing is between it and who asks for its events
        self._plain: Call | None = None
        self._hedge: Hedge | None = None
        self._first: Event | None = None
        self._fallback: Fallback | None = None
        self._attachments: Attachments | None = None
        self._expiry = NEVER

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        call = self._plain
        if call is None:
            return await (self._next() if self._begun else self._begin())
        # as ``call.next()``, which would be one more to wake up for each event
        try:
            call.patience.begin()
            event = await anext(call.events)
            call.took(event)
        except ENDS as error:
            try:
                call.ended(error)
            except GatewayError as failure:
                await self._end(failure)
                raise
            await self._end(None)
            raise StopAsyncIteration from None
        return event

    async def aclose(self) -> None:
        """Stop whoever speaks."""
        self._begun = True
        if self._fallback is not None:
            self._fallback.leave()
        if self._trip is not None:
            trip = self._leave()
            if self._hedge is not None:
                await self._hedge.aclose()
            await trip.cancelled()

    async def _next(self) -> Event:
        """The next event of a call that is not plain, or is not yet."""
        trip = self._trip
        if trip is None:
            raise StopAsyncIteration
        event, call = self._first, trip.call
        if event is not None:
            self._first = None
            if type(call) is Call and self._hedge is None:
                self._plain = call
                return event
        else:
            try:
                event = await (self._hedge or call).next()
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

    async def _end(self, error: GatewayError | None) -> None:
        trip = self._leave()
        if self._hedge is not None:
            await self._hedge.aclose()
        if error is not None:
            await trip.failed(error)
        else:
            await trip.succeeded(self._record.usage)
        if self._fallback is not None:
            self._fallback.leave()

    def _leave(self) -> Trip:
        """The call that answered, to be ended; what was counted in it is noted."""
        trip, plain, record = self._trip, self._plain, self._record
        assert trip is not None  # noqa: S101  (there is one, from the first event on)
        self._trip = self._plain = None
        record.pieces += trip.call.pieces
        if plain is not None and plain.usage is not None:
            record.usage = plain.usage
        return trip

    async def _begin(self) -> Event:
        """The first event of whoever gives one."""
        self._begun = True  # a second time there is nothing to begin
        desk, request = self._desk, self._request
        desk.retries.request()
        if request.routing.timeout is not None:
            self._expiry = Expiry(request.routing.timeout)
        catalog = self._now.catalog
        candidates = catalog.known(request)
        if candidates is None:
            candidates = await self._expiry.bound(catalog.candidates(request))
        if candidates[0].media is not _NOTHING:
            self._attachments = Attachments.of(request, candidates[0], self._now)
        while True:
            try:
                order = in_order(candidates, desk.health, desk.credentials, desk.quarantine)
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
            assert fallback is not None  # noqa: S101  (nobody is ready and no error: it raises)
            wait = fallback.wait() if candidates else None
            if wait is None:
                raise fallback.failure
            _log.warning("%s; trying again in %.2f s", fallback.failure.message, wait)
            await asyncio.sleep(wait)

    def _goes_on(self, error: GatewayError) -> bool:
        """Whether who failed with *error* may be asked again later; the error when nobody is any more."""
        if self._fallback is None:
            self._fallback = Fallback(self._desk, self._now, self._request, self._expiry, error)
        again = self._fallback.failed(error)
        if not error.fallback or self._expiry.passed():
            raise error
        return again

    def _ask(self, place: Place, *, patient: bool) -> Coroutine[Any, Any, Event]:
        """The first event of one candidate."""
        own_key = place.candidate.own_key
        key = place.key if own_key is None else Credential(own_key)
        if key is None or key.rests:
            return self._with_keys(place, patient=patient)
        return self._call_with(place, key, patient=patient)

    async def _with_keys(self, place: Place, *, patient: bool) -> Event:
        """The same, with each of its keys in turn while they are refused."""
        candidate, credentials = place.candidate, self._desk.credentials
        for others in reversed(range(len(credentials.of(candidate.entry)))):
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
        request = self._request
        if self._attachments is not None:
            request = await self._attachments.request_for(place.candidate, self._expiry.left())
        trip = Trip(self._desk, self._now, request, place, credential)
        self._record.attempts.append(trip.attempt)
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
        return self._started(trip, event)

    def _started(self, trip: Trip, event: Event) -> Started:
        record, attempt, call = self._record, trip.attempt, trip.call
        now = time.monotonic()
        attempt.ttft = now - attempt.started
        record.ttft = now - record.started
        self._trip = trip
        emulated, headers = call.emulated, None
        if type(event) is Started:  # what the provider has to say of it; the first is to come
            headers = event.headers
            if event.emulated:
                emulated = (*event.emulated, *emulated)
            if type(call) is Call and self._hedge is None:
                self._plain = call
        else:
            self._first = event
        if emulated:
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
        trip, event = await hedge.begin(first, partial(self._enter_second, others), after)
        self._hedge = hedge
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
        credential = self._desk.credentials.take(place.candidate.entry, place.candidate.model)
        trip = Trip(self._desk, self._now, self._request, place, credential)
        self._record.attempts.append(trip.attempt)
        if trip.turnstile is not None:
            await trip.wait(0.0)
        trip.begin(self._expiry)
        return trip
