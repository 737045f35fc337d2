"""Records of requests as the server makes them."""

from __future__ import annotations

from g4f_aio.core.errors import GatewayError
from g4f_aio.core.events import Usage
from g4f_aio.core.record import Attempt, Outcome, RequestRecord


def attempt(
    provider: str = "work",
    model: str = "gpt-4o",
    outcome: Outcome = "ok",
    *,
    code: str | None = None,
    status: int | None = None,
    ttft: float | None = None,
) -> Attempt:
    """A call that has ended; one that succeeded had its first event after 0.2 s."""
    made = Attempt(provider, model, 100.0, code=code, status=status)
    made.outcome = outcome
    made.ttft = 0.2 if outcome == "ok" and ttft is None else ttft
    made.duration = 2.0
    return made


def record(
    *attempts: Attempt,
    error: GatewayError | None = None,
    usage: Usage | None = None,
    streamed: bool = True,
    caller: str = "alice",
    model: str = "gpt-4o",
    cache: str | None = None,
) -> RequestRecord:
    """A request that has ended, after 4 seconds, with these calls or one that succeeded."""
    made = RequestRecord("req_1", caller, "openai-chat", model, None, streamed, 1000.0, 99.5)
    made.attempts = list(attempts) or [attempt()]
    made.usage = usage
    made.cache = cache
    made.ttft = made.attempts[-1].ttft
    if error is not None:
        made.failed(error)
    made.ended()
    made.duration = 4.0
    return made
