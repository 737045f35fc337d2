"""What must be kept between requests, as protocols; who keeps it is chosen when the server starts."""

from __future__ import annotations

from typing import Protocol

import attrs

from .messages import Message


@attrs.frozen
class ConversationKey:
    """Whose conversation it is, with which provider (empty: not fixed), and what he calls it."""

    owner: str
    provider: str
    id: str


class ConversationStore(Protocol):
    """Transcripts of conversations, the oldest message first."""

    async def get(self, key: ConversationKey) -> tuple[Message, ...]:
        """The transcript; empty for a new conversation."""

    async def put(self, key: ConversationKey, messages: tuple[Message, ...]) -> None:
        """Keep *messages* in the place of what was kept."""
