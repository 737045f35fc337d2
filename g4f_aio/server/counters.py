"""What is counted of every request, at the cost of a few additions; nothing here knows a format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator

from aiohttp import web

from ..core.record import Attempt, RequestRecord

#: seconds to the first token, and for a whole answer
FIRST = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
WHOLE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
#: seconds by which the event loop was late
LATE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
#: the most models that are told apart, in all and of one provider; and the longest name of one
MODELS = 250
MODELS_OF_ONE = 50
NAME = 100
#: in the place of what is not told apart, and of what there was none of
OTHER = "other"
NONE = "none"
#: what errors are told apart by; upstreams make up codes of their own, and might put anything there
CODES = frozenset(
    (
        "billing_hard_limit_reached",
        "content_filter",
        "content_policy_violation",
        "context_length_exceeded",
        "insufficient_permissions",
        "insufficient_quota",
        "internal_error",
        "invalid_api_key",
        "invalid_request",
        "invalid_value",
        "missing_required_parameter",
        "model_not_found",
        "no_provider_available",
        "overloaded",
        "provider_auth_failed",
        "provider_not_found",
        "provider_not_working",
        "provider_timeout",
        "rate_limit_exceeded",
        "request_timeout",
        "request_too_large",
        "server_error",
        "server_shutdown",
        "unprocessable",
        "unsupported_media_type",
        "unsupported_parameter",
        "unsupported_value",
    )
)

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def code_of(code: str | None) -> str:
    """An error's code as it may be shown anywhere; ``none`` when it has none."""
    if code is None:
        return NONE
    return code if code in CODES else OTHER


class Histogram:
    """How many values were at most as large as each of *bounds*."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        #: by bound, not added up; the last one counts what is larger than all
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Lane:
    """What was counted for a provider and one of its models."""

    __slots__ = ("attempts", "cached", "first", "input", "output", "reasoning", "requests", "whole")

    def __init__(self) -> None:
        #: by dialect, outcome and status
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        #: by outcome and code
        self.attempts: defaultdict[tuple[str, str | None], int] = defaultdict(int)
        self.input = 0
        self.output = 0
        self.cached = 0
        self.reasoning = 0
        self.first = Histogram(FIRST)
        self.whole = Histogram(WHOLE)


class Key:
    """What was counted for a key of ours, by its name."""

    __slots__ = ("input", "output", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.input = 0
        self.output = 0


class Counters:
    """Counts since the start; an ``Observer``.

    A model is told apart once it has answered, for clients may name any; see ``MODELS``.
    """

    def __init__(self) -> None:
        self.keys: defaultdict[str, Key] = defaultdict(Key)
        #: further calls of one request: ``retry``, ``fallback``, ``hedge``
        self.further: Counter[str] = Counter()
        self.cache: Counter[str] = Counter()
        #: by method, what the URL stands for (None: nothing) and status
        self.responses: defaultdict[tuple[str, web.AbstractResource | None, int], int] = (
            defaultdict(int)
        )
        self.late = Histogram(LATE)
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._told_apart: Counter[str] = Counter()

    def lanes(self) -> Iterator[tuple[str, str, Lane]]:
        """Provider, model and what was counted for them."""
        for (provider, model), lane in tuple(self._lanes.items()):
            yield provider, model, lane

    def model(self, provider: str, model: str) -> str:
        """A provider's model as it is shown: ``other`` unless it is one that is told apart."""
        return model if (provider, model) in self._lanes else OTHER

    def ended(self, record: RequestRecord) -> None:
        """Count a request that has ended."""
        attempts = record.attempts
        if len(attempts) == 1:
            lane = self._attempt(attempts[0])
        elif attempts:
            lane = self._attempts(record)
        else:
            lane = self._lane(NONE, NONE)
        lane.requests[record.dialect, record.outcome, record.status] += 1
        if record.duration is not None:
            lane.whole.observe(record.duration)
        if record.streamed and record.ttft is not None:
            lane.first.observe(record.ttft)
        caller = self.keys[record.caller]
        caller.requests += 1
        usage = record.usage
        if usage is not None:
            read, written = usage.input, usage.output
            lane.input += read
            lane.output += written
            caller.input += read
            caller.output += written
            if usage.cached:
                lane.cached += usage.cached
            if usage.reasoning:
                lane.reasoning += usage.reasoning
        if record.cache is not None:
            self.cache[record.cache] += 1

    def count(self, request: web.Request, response: web.StreamResponse) -> None:
        """Count a response."""
        method = request.method
        if method not in _METHODS:
            method = OTHER
        self.responses[method, request.match_info.route.resource, response.status] += 1

    def _attempts(self, record: RequestRecord) -> Lane:
        """The lane of the one that answered, else of the last."""
        answered = record.answered_by
        found: Lane | None = None
        before: Attempt | None = None
        for attempt in record.attempts:
            lane = self._attempt(attempt)
            if attempt is answered or answered is None:
                found = lane
            if before is not None:
                self.further[_why(before, attempt)] += 1
            before = attempt
        assert found is not None  # noqa: S101  (there are attempts, and who answered is one of them)
        return found

    def _attempt(self, attempt: Attempt) -> Lane:
        lane = self._lanes.get((attempt.provider, attempt.model))
        if lane is None:
            lane = self._new(attempt)
        code = attempt.code
        if code is not None and code not in CODES:
            code = OTHER
        lane.attempts[attempt.outcome, code] += 1
        return lane

    def _new(self, attempt: Attempt) -> Lane:
        """The lane of a model that is not told apart yet."""
        provider, model = attempt.provider, attempt.model
        told_apart = self._told_apart
        if (
            attempt.outcome == "ok"
            and len(model) <= NAME
            and told_apart[provider] < MODELS_OF_ONE
            and told_apart.total() < MODELS
        ):
            told_apart[provider] += 1
            return self._lane(provider, model)
        return self._lane(provider, OTHER)

    def _lane(self, provider: str, model: str) -> Lane:
        found = self._lanes.get((provider, model))
        if found is None:
            found = self._lanes[provider, model] = Lane()
        return found


def _why(before: Attempt, attempt: Attempt) -> str:
    """Why there was a further call."""
    if before.outcome != "failed":
        return "hedge"
    return "retry" if before.provider == attempt.provider else "fallback"
