"""How a request goes on that a provider has failed: who may be asked now, and when all are again."""

from __future__ import annotations

import random

from ..core.errors import GatewayError
from ..core.operations import Request
from .choice import Place
from .desk import Desk
from .expiry import NEAR, Expiry
from .passing import may_pass
from .snapshot import Snapshot
from .trials import Trials

#: seconds before the first further try, at most; doubling with each
BACKOFF = 0.5
#: the longest hint of an upstream that is waited out here and not left to the client, in seconds
PATIENCE = 2.0
_random = random.Random()  # noqa: S311  (spreads tries over time, no secret)


class Fallback:
    """What a request goes by after a first *failure*. ``leave`` must follow."""

    __slots__ = (
        "_desk",
        "_expiry",
        "_now",
        "_passing",
        "_request",
        "_trials",
        "_tries",
        "failure",
    )

    def __init__(
        self, desk: Desk, now: Snapshot, request: Request, expiry: Expiry, failure: GatewayError
    ) -> None:
        self._desk = desk
        self._now = now
        self._request = request
        self._expiry = expiry
        self._trials: Trials | None = None
        self._tries = 0
        #: the newest that may pass
        self._passing: GatewayError | None = None
        #: the newest, which is the answer in the end
        self.failure = failure

    def failed(self, error: GatewayError) -> bool:
        """A provider failed; whether it may be better by the next time."""
        self.leave()
        self.failure = error
        if not may_pass(error):
            return False
        self._passing = error
        return True

    @property
    def is_trial(self) -> bool:
        """Whether the call that is made now is a trial."""
        return self._trials is not None

    async def may_ask(self, place: Place) -> bool:
        """Whether that provider may be asked next; perhaps others are to find out how it is first."""
        standing = place.standing
        if standing.wait() or self._expiry.passed(NEAR):
            return False  # it broke while others were asked, or they took all the time
        if standing.model.well:
            return True
        timeouts = self._now.timeouts(place.candidate.entry)
        # no longer than a call of its own might say nothing
        longest = timeouts.first_token if self._request.stream else timeouts.total
        trials = standing.try_out()
        if not await trials.enter(self._expiry.shorter(longest), self._desk.retries.spend):
            return False
        self._trials = trials
        if standing.wait():
            self.leave()
            return False
        return True

    def leave(self) -> None:
        """No call is made any more, or the one that was made has come to its end."""
        trials, self._trials = self._trials, None
        if trials is not None:
            trials.leave()

    def wait(self) -> float | None:
        """Seconds to wait before all are asked again; None when that is not to be."""
        self._tries += 1
        hint = self._passing
        if hint is None or self._tries > self._now.settings.routing.retries:
            return None
        wait = _random.uniform(0, BACKOFF * 2 ** (self._tries - 1))
        if hint.retry_after is not None:
            wait = max(wait, hint.retry_after)
        if wait > PATIENCE or self._expiry.passed(wait) or not self._desk.retries.spend():
            return None
        return wait
