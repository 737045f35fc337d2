"""The calls that a provider is put through: a good one first, then those that go wrong."""

from __future__ import annotations

from ..core.errors import GatewayError
from ..core.models import ModelInfo
from ..core.provider import Provider
from .answer import Answer
from .call import Performance
from .declaration import model_faults
from .failures import check_failures
from .grammar import Grammar
from .rehearsal import Rehearsal, main_of
from .stopping import check_stopping
from .upstream import Received


async def run_trials(rehearsal: Rehearsal) -> None:
    """All of them; when the good call fails, only that: the others would prove nothing."""
    answers: dict[Received, Answer] = {}
    with rehearsal.twisted(answers.setdefault):
        play = await rehearsal.perform()
        _judge(rehearsal, play)
    await _list_models(rehearsal)
    if play.failed:
        return
    main = main_of(answers)
    await check_stopping(rehearsal, main)
    if main is not None:
        await check_failures(rehearsal, main)


def _judge(rehearsal: Rehearsal, play: Performance) -> None:
    """What is wrong with a call for which nothing was in the way."""
    upstream = rehearsal.upstream
    unknown = upstream.unknown if upstream is not None else []
    for request in unknown:
        rehearsal.found(
            f"it asks {request.method} {request.path}, and the fake upstream has no answer for"
            " that: give it one, or correct the address"
        )
    grammar = Grammar(rehearsal.request)
    for event in play.events:
        grammar.feed(event)
    if play.stranger is not None:
        rehearsal.found(
            f"chat returns a {play.stranger} and must be an asynchronous generator: write it as"
            " `async def` with `yield`"
        )
    elif play.late:
        rehearsal.found(
            f"its answer does not end within {rehearsal.within:g} s: yield Finish and return when"
            " the answer of the upstream is complete"
        )
    elif isinstance(play.error, Exception) and not unknown:
        rehearsal.found(
            f"chat raises {rehearsal.raised(play.error)}, although nothing is wrong with the"
            " request or the upstream"
        )
    elif upstream is not None and not upstream.requests and not play.failed:
        rehearsal.found(
            "it never asks the upstream: have its address in a setting such as base_url, and call"
            " it with ctx.http"
        )
    if not play.failed:
        grammar.close()
    for fault in grammar.faults:
        rehearsal.found(fault)


async def _list_models(rehearsal: Rehearsal) -> None:
    """Ask for the models where the provider asks its upstream, and that one has an answer."""
    upstream = rehearsal.upstream
    if upstream is None or type(rehearsal.provider).fetch_models is Provider.fetch_models:
        return
    with upstream.twisted() as requests:
        models, error = await _listed(rehearsal)
        if not requests or upstream.unknown:
            return
    if error is not None:
        rehearsal.found(f"fetch_models raises {rehearsal.raised(error)}, although nothing is wrong")
        return
    for fault in model_faults(models, "fetch_models()"):
        rehearsal.found(fault)
    with upstream.twisted(lambda *_: Answer.json({}, status=500)):
        _, error = await _listed(rehearsal)
    if not isinstance(error, GatewayError):
        became = "returns" if error is None else f"raises {rehearsal.raised(error)}"
        rehearsal.found(
            f"fetch_models {became} when its upstream answers 500: call `await ctx.check(response)`"
            " before you read the list"
        )


async def _listed(rehearsal: Rehearsal) -> tuple[tuple[ModelInfo, ...], Exception | None]:
    try:
        async with rehearsal.context() as ctx:
            return await rehearsal.provider.fetch_models(ctx), None
    except Exception as error:  # noqa: BLE001  (a provider may fail in any way)
        return (), error
