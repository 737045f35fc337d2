"""What a provider makes of an upstream that refuses, breaks off or talks nonsense."""

from __future__ import annotations

from ..core.errors import (
    AuthenticationError,
    GatewayError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
)
from .answer import Answer
from .rehearsal import Main, Rehearsal, same
from .upstream import Received

_RETRY_AFTER = 7.0
_CHECK = "call `await ctx.check(response)` before you read the answer"
#: what the errors of an upstream are, by its status; the first is what ``ctx.check`` raises
_REFUSALS: dict[int, tuple[type[GatewayError], ...]] = {
    401: (UpstreamAuthError, AuthenticationError, PermissionDeniedError),
    429: (RateLimitError,),
    500: (UpstreamError, OverloadedError),
}
_PAGE = Answer.stream(
    "<!DOCTYPE html><title>Sign in</title>\n<h1>Sign in</h1>\n",
    headers={"Content-Type": "text/html"},
)
_HANG_UP = Answer(end="cut")


async def check_failures(rehearsal: Rehearsal, main: Main) -> None:
    """One call for each way in which an upstream fails."""
    for status, kinds in _REFUSALS.items():
        await _refuse(rehearsal, status, kinds)
    asked, answer = main
    await _cut(rehearsal, "cuts its answer off", asked, answer.first_half().cut())
    await _cut(rehearsal, "hangs up without an answer", None, _HANG_UP)
    await _say_nonsense(rehearsal)


def _endless(rehearsal: Rehearsal, when: str) -> str:
    return f"its answer does not end within {rehearsal.within:g} s {when}: raise an error there"


async def _refuse(rehearsal: Rehearsal, status: int, kinds: tuple[type[GatewayError], ...]) -> None:
    when = f"when its upstream answers {status}"
    refusal = Answer.json(
        {"error": {"message": f"The fake upstream refuses the key {rehearsal.credential}"}},
        status=status,
        headers={"Retry-After": f"{_RETRY_AFTER:g}"},
    )
    with rehearsal.twisted(lambda *_: refusal):
        play = await rehearsal.perform()
    error = play.error
    if play.events:
        rehearsal.found(
            f"chat yields {type(play.events[0]).__name__} before it knows that the upstream takes"
            " the request: yield nothing before that, so that another provider can still be asked"
        )
    if play.late:
        rehearsal.found(_endless(rehearsal, when))
    elif error is None:
        rehearsal.found(f"chat ends as if all were well {when}: {_CHECK}")
    elif not isinstance(error, GatewayError):
        rehearsal.found(f"chat raises {rehearsal.raised(error)} {when}: {_CHECK}")
    elif not isinstance(error, kinds):
        rehearsal.found(
            f"chat raises {type(error).__name__} {when}, which is {kinds[0].__name__}: {_CHECK}"
        )
    elif isinstance(error, RateLimitError) and error.retry_after != _RETRY_AFTER:
        rehearsal.found(f"its RateLimitError has not the Retry-After of its upstream: {_CHECK}")
    if rehearsal.credential is not None and rehearsal.credential in str(error):
        rehearsal.found(f"its error quotes the credential {when}: {_CHECK}, which leaves it out")


async def _cut(rehearsal: Rehearsal, what: str, at: Received | None, answer: Answer) -> None:
    """The connection is closed while the provider reads the answer to the request *at*, or any."""

    def twist(asked: Received, usual: Answer) -> Answer:
        return answer if at is None or same(asked, at) else usual

    with rehearsal.twisted(twist):
        play = await rehearsal.perform()
    error, when = play.error, f"when its upstream {what}"
    if play.late:
        rehearsal.found(_endless(rehearsal, when))
    elif error is None:
        rehearsal.found(
            f"chat ends as if all were well {when}: let the UpstreamError of ctx.http pass, and"
            " raise one where the answer lacks its end"
        )
    elif not isinstance(error, UpstreamError):
        rehearsal.found(
            f"chat raises {rehearsal.raised(error)} {when}: that is an UpstreamError; ctx.http"
            " raises it by itself"
        )


async def _say_nonsense(rehearsal: Rehearsal) -> None:
    with rehearsal.twisted(lambda *_: _PAGE):
        play = await rehearsal.perform()
    error, when = play.error, "when its upstream answers with a web page"
    if play.late:
        rehearsal.found(_endless(rehearsal, when))
    elif error is not None and not isinstance(error, GatewayError):
        rehearsal.found(
            f"chat raises {rehearsal.raised(error)} {when}: catch what reading it raises, and raise"
            " UpstreamError"
        )
