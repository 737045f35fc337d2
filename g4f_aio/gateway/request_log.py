"""The last requests: who asked, who was tried, how it ended. In memory, and never what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from ..core.lazy import LazyModule
from ..core.record import Attempt, RequestRecord
from .registry import same

if TYPE_CHECKING:
    from ..core import stores
else:  # requests are noted more often than looked at
    stores = LazyModule("..core.stores", __package__)

#: bytes that a request may take on average; long ones make room for fewer
AVERAGE = 4096
#: bytes that a record and each of its attempts take without their texts, about
_RECORD = 900
_ATTEMPT = 300
#: bytes from which on a record is cut down: to so many characters of a text, and so many attempts.
#: Names of models come from clients, and messages from upstreams
LARGE = 4096
LONGEST = 500
ATTEMPTS = 50


class RequestLog:
    """The records of the last *limit* requests; it is a ``RequestStore`` and an ``Observer``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit * AVERAGE
        self._number = 0
        self._taken = 0
        #: record and size; the last one has the number
        self._kept: deque[tuple[RequestRecord, int]] = deque()

    def __len__(self) -> int:
        return len(self._kept)

    def append(self, record: RequestRecord) -> None:
        """Keep a record; the oldest make room."""
        if not self._limit:
            return
        size = _size(record)
        if size > LARGE:
            record = _bounded(record)
            size = _size(record)
        self._number += 1
        self._taken += size
        kept = self._kept
        kept.append((record, size))
        while len(kept) > self._limit or (self._taken > self._room and len(kept) > 1):
            self._taken -= kept.popleft()[1]

    #: as an observer
    ended = append

    async def list(self, query: stores.RequestQuery) -> tuple[stores.KeptRequest, ...]:
        """Those that fit *query*, the newest first."""
        found: list[stores.KeptRequest] = []
        for kept in self._newest_first():
            if len(found) >= query.limit:
                break
            if query.before is not None and kept.number >= query.before:
                continue
            if fits(kept.record, query):
                found.append(kept)
        return tuple(found)

    async def get(self, id: str, caller: str | None = None) -> stores.KeptRequest | None:  # noqa: A002
        """The newest with that id; of *caller* alone if one is given."""
        for kept in self._newest_first():
            if kept.record.id == id and caller in (None, kept.record.caller):
                return kept
        return None

    def _newest_first(self) -> Iterator[stores.KeptRequest]:
        newest = enumerate(reversed(self._kept))
        return (stores.KeptRequest(self._number - at, record) for at, (record, _) in newest)


def fits(record: RequestRecord, query: stores.RequestQuery) -> bool:
    """Whether a record is one of those that *query* asks for, its number and their limit aside."""
    if query.caller is not None and record.caller != query.caller:
        return False
    if query.outcome is not None and record.outcome != query.outcome:
        return False
    if query.since is not None and record.began < query.since:
        return False
    if query.model is not None and query.model not in _models(record):
        return False
    wanted = query.provider
    return wanted is None or any(same(name, wanted) for name in _providers(record))


def _models(record: RequestRecord) -> Iterator[str]:
    yield record.model
    yield from (attempt.model for attempt in record.attempts)


def _providers(record: RequestRecord) -> Iterator[str]:
    if record.provider is not None:
        yield record.provider
    yield from (attempt.provider for attempt in record.attempts)


def _bounded(record: RequestRecord) -> RequestRecord:
    """A copy of the record without what could take any amount of room."""
    # by hand: attrs.evolve takes three times as long
    return RequestRecord(
        record.id,
        record.caller,
        record.dialect,
        record.model[:LONGEST],
        record.provider and record.provider[:LONGEST],
        record.streamed,
        record.began,
        record.started,
        [_short(attempt) for attempt in record.attempts[-ATTEMPTS:]],
        record.outcome,
        record.status,
        record.code and record.code[:LONGEST],
        record.message and record.message[:LONGEST],
        record.usage,
        record.pieces,
        record.ttft,
        record.duration,
        record.cache,
        record.emulated,
        record.sources,
    )


def _short(attempt: Attempt) -> Attempt:
    if len(attempt.model) + len(attempt.code or "") <= LONGEST:
        return attempt
    code = attempt.code and attempt.code[:LONGEST]
    return attrs.evolve(attempt, model=attempt.model[:LONGEST], code=code)


def _size(record: RequestRecord) -> int:
    size = _RECORD + len(record.model)
    attempts = record.attempts
    if record.outcome == "ok" and len(attempts) == 1 and record.provider is None:
        return size + _ATTEMPT + len(attempts[0].model)
    for text in (record.provider, record.code, record.message):
        if text is not None:
            size += len(text)
    for attempt in attempts:
        size += _ATTEMPT + len(attempt.model)
        if attempt.code is not None:
            size += len(attempt.code)
    return size
