"""Requests that continue a conversation: its transcript goes in front of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs

from ..core.completion import Completion
from ..core.errors import BadRequestError
from ..core.events import ConversationState, Events, EventStream
from ..core.lazy import LazyModule
from ..core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    RefusalPart,
    TextPart,
)
from ..core.requests import ChatRequest

if TYPE_CHECKING:
    from ..core import stores
else:  # most chats are on their own
    stores = LazyModule("..core.stores", __package__)

#: the longest transcript: messages, characters of text, and of images, sounds and files
MESSAGES = 10_000
TRANSCRIPT = 2**20
MEDIA = 32 * 2**20
ID_LENGTH = 128
#: a request's events, as ``Gateway.chat`` gives them
Chat = Callable[[ChatRequest], Events]


async def converse(
    chat: Chat, request: ChatRequest, owner: str, storage: stores.Storage
) -> EventStream:
    """The events of *request* as part of its conversation; the answer joins the transcript.

    An answer that fails or is cut leaves the transcript as it was; only the state that its provider
    gave is kept. BadRequestError for an id that nobody can have or a transcript that has grown too
    long; another GatewayError when the conversation cannot be had, or not be kept.
    """
    name = request.routing.conversation_id or ""
    if len(name) > ID_LENGTH or not name.isprintable():
        raise BadRequestError(
            f"$.conversation_id: at most {ID_LENGTH} characters, and no control characters",
            param="conversation_id",
        )
    # capital letters do not count in the name of a provider
    key = stores.ConversationKey(owner, (request.routing.provider or "").lower(), name)
    conversations = (await storage.open()).conversations
    before = await conversations.get(key)
    kept = before.messages
    if request.messages[: len(kept)] != kept:
        messages = _joined(kept, request.messages)
        # edited, so the client's own JSON no longer says what is asked
        request = attrs.evolve(request, messages=messages, raw=None)
    _check(request.messages)
    if before.states and request.messages[: len(kept)] == kept:
        request = attrs.evolve(request, states={**before.states, **request.states})
    # the text must be seen, so the upstream's bytes are not handed on as they are
    request = attrs.evolve(request, accept=None)
    answer = Completion()
    state: dict[str, Any] | None = None
    try:
        async with aclosing(chat(request)) as events:
            async for event in events:
                answer.add(event)
                if type(event) is ConversationState:
                    state = event.data
                yield event
    except BaseException:
        # also when the client leaves: what the provider began goes on there the next time
        if state is not None:
            conversations.put_state(key, before, answer.provider, state)
        raise
    if answer.complete:
        messages = (*request.messages, _message(answer))
        await conversations.put(key, before, messages, answer.provider, state)
    elif state is not None:
        conversations.put_state(key, before, answer.provider, state)


def _check(messages: tuple[Message, ...]) -> None:
    """BadRequestError for more than is kept."""
    text = media = 0
    for message in messages:
        for part in message.parts:
            match part:
                case TextPart(text=said) | RefusalPart(text=said):
                    text += len(said)
                case ImagePart(url=data) | AudioPart(data=data) | FilePart(data=str(data)):
                    media += len(data)
                case FilePart() | OtherPart():
                    pass
    for size, limit, what in (
        (len(messages), MESSAGES, "messages"),
        (text, TRANSCRIPT, "characters"),
        (media, MEDIA, "characters"),
    ):
        if size > limit:
            raise BadRequestError(
                f"The conversation exceeds {limit} {what}; begin a new one",
                param="conversation_id",
                code="context_length_exceeded",
            )


def _joined(kept: tuple[Message, ...], new: tuple[Message, ...]) -> tuple[Message, ...]:
    """The transcript and what is new; the instructions of a new system message replace the old."""
    instructs = ("system", "developer")
    if any(message.role in instructs for message in new):
        kept = tuple(message for message in kept if message.role not in instructs)
        first = tuple(message for message in new if message.role in instructs)
        rest = tuple(message for message in new if message.role not in instructs)
        return (*first, *kept, *rest)
    return (*kept, *new)


def _message(answer: Completion) -> Message:
    """The answer as a message of the assistant; of several choices the first."""
    choice = answer.choice(0)
    parts: tuple[Part, ...] = (TextPart(choice.text),) if choice.text else ()
    if choice.refusal:
        parts += (RefusalPart(choice.refusal),)
    return Message("assistant", parts, tool_calls=choice.tool_calls)
