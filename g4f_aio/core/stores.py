"""What must be kept between requests, as protocols; who keeps it is chosen when the server starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, Protocol

import attrs

from .messages import Message
from .record import RequestRecord


@attrs.frozen
class ConversationKey:
    """Whose conversation it is, with which provider (empty: not fixed), and what he calls it."""

    owner: str
    provider: str
    id: str


@attrs.frozen
class Conversation:
    """A conversation as it is kept; one that is new is empty.

    *messages*: the oldest first. *states*: what providers gave out as ``ConversationState``, by their
    names, and want back; each of these providers knows all the messages. *number* and *revision* are
    the store's own; by them it knows what became of the conversation meanwhile.
    """

    messages: tuple[Message, ...] = ()
    states: Mapping[str, dict[str, Any]] = attrs.field(factory=dict)
    number: int | None = None
    revision: int = 0


class ConversationStore(Protocol):
    """Conversations. How many are kept, and how long, is the store's affair."""

    async def get(self, key: ConversationKey) -> Conversation:
        """The conversation; empty when it is new."""

    async def put(
        self,
        key: ConversationKey,
        before: Conversation,
        messages: tuple[Message, ...],
        provider: str,
        state: dict[str, Any] | None = None,
    ) -> None:
        """Keep *messages* in the place of those *before* a turn that *provider* answered.

        A *state* that he gave takes the place of an older one; those of other providers, who do not
        know the turn, are forgotten. One that was deleted meanwhile stays deleted.
        """

    def put_state(
        self, key: ConversationKey, before: Conversation, provider: str, state: dict[str, Any]
    ) -> None:
        """Keep the state after a turn that did not come to its end; waits for nobody, never fails."""

    async def began(self, owner: str, id: str) -> float | None:  # noqa: A002  (the wire's name)
        """When the oldest of his conversations of that name began, in Unix time; None: there is none."""

    async def delete(self, owner: str, id: str) -> bool:  # noqa: A002  (the wire's name)
        """Forget his conversations of that name, whatever the provider; whether there were any."""


@attrs.frozen
class ResponseKey:
    """Whose response it is, and its id."""

    owner: str
    id: str


@attrs.frozen
class StoredResponse:
    """A response with all that it answers, as JSON of the Responses API.

    *body* is the response object, *input* everything that went before: its own input and, where it
    goes on from another response, that one's. *provider* is who gave it; *native*: its upstream
    speaks this API, gave the id and keeps the response, too.
    """

    key: ResponseKey
    body: dict[str, Any]
    input: tuple[dict[str, Any], ...]
    provider: str
    native: bool = False

    @property
    def output(self) -> list[dict[str, Any]]:
        """The items that the model wrote."""
        return [item for item in self.body.get("output") or () if isinstance(item, dict)]

    @property
    def over(self) -> bool:
        """Whether nothing will be added to it."""
        return self.body.get("status") not in ("queued", "in_progress")


class ResponseStore(Protocol):
    """Responses, for clients that refer to them. How many are kept is the store's affair."""

    async def put(self, response: StoredResponse) -> None:
        """Keep it, in the place of one with its key."""

    async def get(self, key: ResponseKey) -> StoredResponse | None:
        """The response; None when there is none."""

    async def delete(self, key: ResponseKey) -> bool:
        """Forget it; whether it was there."""

    async def items(self, owner: str, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Those of the items with these *ids* that are in the responses of *owner*, by id."""

    async def known(self, id: str) -> bool:  # noqa: A002  (the wire's name)
        """Whether a response with that id belongs to anybody."""


@attrs.frozen
class Stores:
    """All that is kept between requests and outlives the process, unless the settings say otherwise."""

    conversations: ConversationStore
    responses: ResponseStore


class Storage(Protocol):
    """Where the stores are. It is opened when somebody needs it for the first time."""

    async def open(self) -> Stores:
        """The stores. GatewayError while they cannot be had, or what is written is not kept."""


@attrs.frozen
class Quota:
    """What a key may use in a minute; None: as much as it likes."""

    requests: int | None = None
    tokens: int | None = None


@attrs.frozen
class Shortage:
    """What there is too little of, and in how many seconds there is enough."""

    what: Literal["requests", "tokens"]
    wait: float


@attrs.frozen
class Allowance:
    """How much of a *limit* is left, and in how many seconds all of it is there again."""

    limit: int
    left: int
    reset: float


@attrs.frozen
class Balance:
    """How a key stands; None where its quota has no limit."""

    requests: Allowance | None = None
    tokens: Allowance | None = None


class QuotaStore(Protocol):
    """What the keys, each by its name, have used of their quotas.

    A limit of N is a bucket that holds N and is filled evenly, with N in a minute.
    """

    async def reserve(self, name: str, quota: Quota, tokens: int) -> Shortage | None:
        """Take one request and *tokens* and return None; or take nothing and say what is short.

        A caller who is cancelled meanwhile has taken nothing.
        """

    async def balance(self, name: str, quota: Quota) -> Balance:
        """What is left just now."""

    def settle(self, name: str, reserved: int, used: int) -> None:
        """Put *used* tokens in the place of those that were *reserved*; waits for nobody.

        What is used beyond the reserved ones is owed: the next ones wait until it is made up for.
        """


@attrs.frozen
class RequestQuery:
    """Which records of requests are wanted; None: any.

    *provider* and *model*: those that were asked for or called. *since* is Unix time. *before* is
    the number of a kept request; *limit* is the most that are wanted.
    """

    caller: str | None = None
    provider: str | None = None
    model: str | None = None
    outcome: str | None = None
    since: float | None = None
    before: int | None = None
    limit: int = 100


@attrs.frozen
class KeptRequest:
    """The record of a finished request. *number* counts them up."""

    number: int
    record: RequestRecord


class RequestStore(Protocol):
    """Records of finished requests, without content. How many are kept is the store's affair."""

    def append(self, record: RequestRecord) -> None:
        """Keep it; at once or soon, but quickly and without failing."""

    async def list(self, query: RequestQuery) -> tuple[KeptRequest, ...]:
        """Those that fit *query*, the newest first."""

    async def get(self, id: str, caller: str | None = None) -> KeptRequest | None:  # noqa: A002
        """The newest with that id, which clients may choose; of *caller* alone if one is given."""
