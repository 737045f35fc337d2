"""Texts completed by chats, for providers that know nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

import attrs

from .errors import UnsupportedError, UpstreamError
from .events import (
    Citations,
    Event,
    EventStream,
    Finish,
    Logprobs,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from .messages import Message, TextPart
from .operations import CompletionRequest, Prompt
from .requests import ChatRequest

if TYPE_CHECKING:
    from .provider import CallContext

#: what this is called where it is told what was supplied
COMPLETIONS = "completions"
#: the most choices for which a provider is called so often
MOST = 16
#: fields of a completion that mean the same in a chat
_SAME = ("logit_bias", "user")


class ChatsOnlyError(UnsupportedError):
    """A completion that no chat can give; another provider may have the API for it."""

    fallback: ClassVar[bool] = True


async def as_chats(
    request: CompletionRequest,
    ctx: CallContext,
    chat: Callable[[ChatRequest, CallContext], EventStream],
) -> EventStream:
    """One chat for each prompt, one after the other; their choices are counted on.

    For a provider that gives one choice at a time there is a chat for each choice. ChatsOnlyError
    names the field that no chat has a word for.
    """
    each, told = request.n, Started(ctx.provider, request.model, emulated=(COMPLETIONS,))
    if request.singly and request.n > 1:
        if request.n > MOST:
            raise _lacking("n", f"gives one answer at a time, and {MOST} at most", ctx.provider)
        each, told = 1, attrs.evolve(told, emulated=(COMPLETIONS, "n"))
    chats = [
        _chat(request, prompt, each, ctx.provider)
        for prompt in request.prompts
        for _ in range(request.n // each)
    ]
    total: Usage | None = Usage()
    begun = False
    for number, asked in enumerate(chats):
        first = number * each
        echo = asked.last_user_text if request.echo else ""
        usage: Usage | None = None
        finished = False
        async with aclosing(chat(asked, ctx)) as events:
            async for event in events:
                # neither this nor an echo before there is an answer to put it in front of
                if not begun:
                    begun = True
                    yield told
                if echo:
                    for choice in range(first, first + each):
                        yield TextDelta(echo, choice)
                    echo = ""
                if isinstance(event, Usage):
                    usage = event
                    continue
                finished = finished or isinstance(event, Finish)
                yield _moved(event, first)
        if not finished:
            raise UpstreamError(
                f"{ctx.provider} ended its answer without a finish", provider=ctx.provider
            )
        total = _sum(total, usage)
    if total is not None:
        yield total


def _chat(request: CompletionRequest, prompt: Prompt, choices: int, provider: str) -> ChatRequest:
    """The chat that stands for one prompt, or for some of its *choices*."""
    if not isinstance(prompt, str):
        raise _lacking("prompt", "takes texts, no tokens", provider)
    if request.suffix:
        raise _lacking("suffix", "cannot insert text before a suffix", provider)
    if request.best_of is not None and request.best_of != request.n:
        raise _lacking("best_of", "cannot choose among more answers than n", provider)
    if request.echo and request.logprobs is not None:
        raise _lacking("echo", "knows no log probabilities of a prompt", provider)
    options = {name: request.raw[name] for name in _SAME if request.raw.get(name) is not None}
    if request.logprobs is not None:
        options |= {"logprobs": True, "top_logprobs": request.logprobs}
    return ChatRequest(
        model=request.model,
        messages=(Message("user", (TextPart(prompt),)),),
        stream=request.stream,
        sampling=request.sampling,
        n=choices,
        options=options,
        routing=request.routing,
        dialect=request.dialect,
    )


def _lacking(field: str, what: str, provider: str) -> ChatsOnlyError:
    return ChatsOnlyError(
        f"$.{field}: {provider} only chats here and {what}", param=field, provider=provider
    )


def _moved(event: Event, first: int) -> Event:
    """An event of a choice that is counted from *first* on."""
    match event:
        case (
            TextDelta(choice=choice)
            | ReasoningDelta(choice=choice)
            | RefusalDelta(choice=choice)
            | ToolCallDelta(choice=choice)
            | Logprobs(choice=choice)
            | Citations(choice=choice)
            | Finish(choice=choice)
        ) if first:
            return attrs.evolve(event, choice=choice + first)
        case _:
            return event


def _sum(total: Usage | None, more: Usage | None) -> Usage | None:
    """Both together; None when one of them is not known."""
    if total is None or more is None:
        return None
    return Usage(
        total.input + more.input,
        total.output + more.output,
        total.cached + more.cached,
        total.reasoning + more.reasoning,
        total.estimated or more.estimated,
    )
