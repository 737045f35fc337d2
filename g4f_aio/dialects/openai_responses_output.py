"""The items of a response while they are written: what each says, and the events that tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from ..core.events import Citation
from .openai_responses_events import Event, Status, added, done
from .openai_responses_object import new_id
from .openai_responses_reasoning import ReasoningItem
from .openai_responses_tools import Named, text_of_arguments

Json = dict[str, Any]


@attrs.define
class TextContent:
    """A text in a message."""

    pieces: list[str] = attrs.field(factory=list)
    annotations: list[Json] = attrs.field(factory=list)
    logprobs: list[Json] = attrs.field(factory=list)

    def wire(self) -> Json:
        """The part of the message's content."""
        return {
            "type": "output_text",
            "text": "".join(self.pieces),
            "annotations": self.annotations,
            "logprobs": self.logprobs,
        }

    def done(self, at: Json) -> Event:
        """The event that says it whole."""
        logprobs = list(map(plain_token, self.logprobs))
        text = "".join(self.pieces)
        return "response.output_text.done", {**at, "text": text, "logprobs": logprobs}


@attrs.define
class RefusalContent:
    """The text in a message with which the model declines."""

    pieces: list[str] = attrs.field(factory=list)

    def wire(self) -> Json:
        """The part of the message's content."""
        return {"type": "refusal", "refusal": "".join(self.pieces)}

    def done(self, at: Json) -> Event:
        """The event that says it whole."""
        return "response.refusal.done", {**at, "refusal": "".join(self.pieces)}


@attrs.define
class MessageItem:
    """A message of the model. Only the last of its parts is still written."""

    index: int
    id: str = attrs.field(factory=lambda: new_id("msg"))
    parts: list[TextContent | RefusalContent] = attrs.field(factory=list)

    @property
    def at(self) -> Json:
        """Where its last part is."""
        return {
            "item_id": self.id,
            "output_index": self.index,
            "content_index": len(self.parts) - 1,
        }

    def wire(self, status: Status) -> Json:
        """The item as it stands."""
        return {
            "id": self.id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part.wire() for part in self.parts],
        }

    def begin(self) -> Iterator[Event]:
        """It is there."""
        yield added(self.index, self.wire("in_progress"))

    def open(self, part: TextContent | RefusalContent) -> Iterator[Event]:
        """A further part begins, and the one before ends."""
        yield from self._close()
        self.parts.append(part)
        yield "response.content_part.added", {**self.at, "part": part.wire()}

    def end(self, status: Status) -> Iterator[Event]:
        """It is whole, or cut."""
        yield from self._close()
        yield done(self.index, self.wire(status))

    def _close(self) -> Iterator[Event]:
        if self.parts:
            yield self.parts[-1].done(self.at)
            yield "response.content_part.done", {**self.at, "part": self.parts[-1].wire()}


@attrs.define
class CallItem:
    """A call of a tool. *disguised*: of one that takes plain text, which the model knows as a function.

    Its text is known only when all of the arguments are there.
    """

    index: int
    named: Named
    call_id: str
    disguised: bool = False
    id: str = ""
    pieces: list[str] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.id = new_id("ctc" if self.custom else "fc")

    @property
    def custom(self) -> bool:
        """Whether it takes plain text."""
        return self.named.type == "custom"

    @property
    def at(self) -> Json:
        """Which item it is."""
        return {"item_id": self.id, "output_index": self.index}

    def said(self) -> str:
        """The arguments, or the text."""
        said = "".join(self.pieces)
        return text_of_arguments(said) if self.disguised else said

    def wire(self, status: Status) -> Json:
        """The item as it stands."""
        return {
            "id": self.id,
            "type": "custom_tool_call" if self.custom else "function_call",
            "status": status,
            "call_id": self.call_id,
            "name": self.named.name,
            **({"namespace": self.named.namespace} if self.named.namespace else {}),
            "input" if self.custom else "arguments": self.said(),
        }

    def begin(self) -> Iterator[Event]:
        """It is there."""
        yield added(self.index, self.wire("in_progress"))

    def say(self, piece: str) -> Iterator[Event]:
        """A piece of the arguments."""
        if piece:
            self.pieces.append(piece)
            if not self.disguised:
                yield self._delta(piece)

    def end(self, status: Status) -> Iterator[Event]:
        """It is whole, or cut."""
        said = self.said()
        if self.disguised:
            yield self._delta(said)
        whole = {"input": said} if self.custom else {"arguments": said, "name": self.named.name}
        yield f"response.{self._kind}.done", {**self.at, **whole}
        yield done(self.index, self.wire(status))

    @property
    def _kind(self) -> str:
        return "custom_tool_call_input" if self.custom else "function_call_arguments"

    def _delta(self, piece: str) -> Event:
        return f"response.{self._kind}.delta", {**self.at, "delta": piece}


OutputItem = MessageItem | ReasoningItem | CallItem


def url_citations(links: Iterable[Citation]) -> list[Json]:
    """Citations as annotations, which here belong to the whole text."""
    return [
        {
            "type": "url_citation",
            "url": link.url,
            "title": link.title,
            "start_index": 0,
            "end_index": 0,
        }
        for link in links
    ]


def logprobs_of(data: Json) -> list[Json]:
    """The log probabilities of chat completions, as the content of a message has them."""
    tokens = data.get("content")
    return [
        {**_token(one), "top_logprobs": [_token(other) for other in one.get("top_logprobs") or ()]}
        for one in (tokens if isinstance(tokens, list) else ())
        if isinstance(one, dict)
    ]


def _token(one: Json) -> Json:
    token = str(one.get("token") or "")
    given = one.get("bytes")
    return {
        "token": token,
        "bytes": given if isinstance(given, list) else list(token.encode("utf-8", "replace")),
        "logprob": one.get("logprob") or 0.0,
    }


def plain_token(token: Json) -> Json:
    """A log probability of ``logprobs_of`` as the events have it: without bytes."""
    kept = {"token": token["token"], "logprob": token["logprob"]}
    if "top_logprobs" not in token:
        return kept
    return kept | {"top_logprobs": list(map(plain_token, token["top_logprobs"]))}
