"""Requests that continue a conversation: its transcript goes in front of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing

import attrs

from ..core.completion import Completion
from ..core.errors import BadRequestError
from ..core.events import Events, EventStream
from ..core.messages import Message, Part, RefusalPart, TextPart
from ..core.requests import ChatRequest
from ..core.stores import ConversationKey, ConversationStore

#: the most conversations kept in memory, and the longest transcript in characters of text
CONVERSATIONS = 1000
TRANSCRIPT = 2**20
ID_LENGTH = 128
#: a request's events, as ``Gateway.chat`` gives them
Chat = Callable[[ChatRequest], Events]


class MemoryConversations:
    """Conversations for as long as this process runs; the one unused longest makes room."""

    def __init__(self, limit: int = CONVERSATIONS) -> None:
        self._limit = limit
        self._kept: OrderedDict[ConversationKey, tuple[Message, ...]] = OrderedDict()

    async def get(self, key: ConversationKey) -> tuple[Message, ...]:
        """The transcript; empty for a new conversation."""
        if key not in self._kept:
            return ()
        self._kept.move_to_end(key)
        return self._kept[key]

    async def put(self, key: ConversationKey, messages: tuple[Message, ...]) -> None:
        """Keep *messages*."""
        self._kept[key] = messages
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)


async def converse(
    chat: Chat, request: ChatRequest, owner: str, store: ConversationStore
) -> EventStream:
    """The events of *request* as part of its conversation; the answer joins the transcript.

    An answer that fails or is cut leaves the transcript as it was. BadRequestError for an id that
    is too long or a transcript that has grown too long.
    """
    name = request.routing.conversation_id or ""
    if len(name) > ID_LENGTH:
        raise BadRequestError(
            f"conversation_id: at most {ID_LENGTH} characters", param="conversation_id"
        )
    key = ConversationKey(owner, request.routing.provider or "", name)
    kept = await store.get(key)
    if request.messages[: len(kept)] != kept:
        messages = _joined(kept, request.messages)
        # edited, so the client's own JSON no longer says what is asked
        request = attrs.evolve(request, messages=messages, raw=None)
    if sum(len(message.text) for message in request.messages) > TRANSCRIPT:
        raise BadRequestError(
            f"The conversation exceeds {TRANSCRIPT} characters; begin a new one",
            param="conversation_id",
            code="context_length_exceeded",
        )
    # the text must be seen, so the upstream's bytes are not handed on as they are
    request = attrs.evolve(request, accept=None)
    answer = Completion()
    async with aclosing(chat(request)) as events:
        async for event in events:
            answer.add(event)
            yield event
    if answer.complete:
        await store.put(key, (*request.messages, _message(answer)))


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
