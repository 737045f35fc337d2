"""What a request only names by URL, fetched for providers whose upstream takes nothing but bytes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from operator import eq

import attrs

from ..core.errors import BadRequestError, GatewayError, UpstreamError, UpstreamTimeoutError
from ..core.fetch import Fetch
from ..core.json_path import path_of
from ..core.messages import Message, Part
from ..core.models import Capability
from ..core.operations import Request
from ..core.requests import ChatRequest
from .candidates import Candidate
from .media import Sent, url_of, with_content
from .snapshot import Snapshot

#: different URLs that may be fetched for one request
MOST = 20
#: how many of them at a time
AT_ONCE = 4
#: bytes from which on a file is encoded in a thread
_LARGE = 2**18
_NOTHING = Capability.NONE
_log = logging.getLogger(__name__)


class Attachments:
    """The content of what *request* names by URL, fetched once for all who are asked.

    *most* is how many bytes that may be together.
    """

    def __init__(self, request: ChatRequest, fetch: Fetch, most: int) -> None:
        self._request = request
        self._fetch = fetch
        self._most = most
        self._size = 0
        self._got: dict[str, Sent] = {}
        self._failure: GatewayError | None = None

    @classmethod
    def of(cls, request: Request, candidate: Candidate, now: Snapshot) -> Attachments | None:
        """Those of a request that the *candidate* may answer; None when there are none."""
        if candidate.media is _NOTHING or now.fetch is None or not isinstance(request, ChatRequest):
            return None
        if not any(True for _ in _linked(request.messages)):
            return None
        return cls(request, now.fetch, now.settings.server.max_body)

    async def request_for(self, candidate: Candidate, within: float | None) -> ChatRequest:
        """The request as the provider takes it, *within* so many seconds.

        GatewayError names the field of what cannot be had. What failed for one provider fails for
        all who need it.
        """
        request = self._request
        # who lacks something gets the request edited, and not as it came
        seen = attrs.evolve(request, raw=None) if candidate.supplied else request
        needed = [
            (part, url)
            for part, url in _linked(request.messages)
            if not _takes(candidate, part, seen)
        ]
        if not needed:
            return request
        if self._failure is not None:
            raise self._failure
        try:
            await self._get(dict.fromkeys(url for _, url in needed), within)
            found = {id(part): self._content(part, url) for part, url in needed}
        except GatewayError as error:
            self._failure = error
            raise
        messages = tuple(_replaced(message, found) for message in request.messages)
        return attrs.evolve(request, messages=messages, raw=None)

    async def _get(self, urls: Iterable[str], within: float | None) -> None:
        """Fetch those that are not there yet."""
        missing = [url for url in urls if url not in self._got]
        if len(missing) + len(self._got) > MOST:
            raise BadRequestError(f"$.messages: more than {MOST} URLs are to be fetched")
        turns = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.timeout(within), asyncio.TaskGroup() as tasks:
                for url in missing:
                    tasks.create_task(self._get_one(url, turns))
        except TimeoutError:
            raise UpstreamTimeoutError(
                "what the request names by URL did not come in time", code="fetch_timeout"
            ) from None
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _get_one(self, url: str, turns: asyncio.Semaphore) -> None:
        try:
            async with turns:
                file = await self._fetch(url, limit=self._most - self._size)
            self._size += len(file.data)
            if self._size > self._most:
                raise BadRequestError(
                    f"what is at this URL and at others is more than {self._most} bytes",
                    code="file_too_large",
                )
        except GatewayError as error:
            raise self._named(error, url) from None
        large = len(file.data) >= _LARGE
        self._got[url] = await asyncio.to_thread(Sent.of, file) if large else Sent.of(file)

    def _content(self, part: Part, url: str) -> Part:
        try:
            return with_content(part, url, self._got[url])
        except BadRequestError as error:
            raise self._named(error, url) from None

    def _named(self, error: GatewayError, url: str) -> GatewayError:
        """The *error* about *url*, with the path of the field that has it."""
        where = path_of(self._request.raw, partial(eq, url)) or "messages"
        error.message = f"$.{where}: {error.message}"
        error.args = (error.message,)
        error.param = where
        return error


def _linked(messages: Iterable[Message]) -> Iterator[tuple[Part, str]]:
    """The parts whose content is only there by URL, and these URLs."""
    for message in messages:
        for part in message.parts:
            if (url := url_of(part)) is not None:
                yield part, url


def _takes(candidate: Candidate, part: Part, request: ChatRequest) -> bool:
    """Whether the provider wants the URL and not the content."""
    entry = candidate.entry
    assert entry.provider is not None  # noqa: S101  (the catalogue offers no broken ones)
    try:
        return bool(entry.provider.takes_url(part, request))
    except Exception as error:
        _log.exception("provider %s raised when it was asked about a URL", entry.name)
        raise UpstreamError(
            f"{entry.name} failed with {type(error).__name__}", provider=entry.name
        ) from error


def _replaced(message: Message, found: dict[int, Part]) -> Message:
    """The message with the content of its parts where it was *found*."""
    if found.keys().isdisjoint(map(id, message.parts)):
        return message
    parts = tuple(found.get(id(part), part) for part in message.parts)
    return attrs.evolve(message, parts=parts)
