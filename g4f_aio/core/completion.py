"""Events put together to a whole answer, for clients that do not stream and for storage."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from .events import (
    Citation,
    Citations,
    ConversationState,
    Event,
    Finish,
    FinishReason,
    Logprobs,
    Media,
    Passthrough,
    Preview,
    ReasoningDelta,
    RefusalDelta,
    Started,
    Status,
    Suggestions,
    TextDelta,
    Title,
    ToolCallDelta,
    Usage,
)
from .messages import Thought, ToolCall


def thoughts_of(pieces: Iterable[ReasoningDelta]) -> tuple[Thought, ...]:
    """The thoughts that come in *pieces*: each seal ends one."""
    found: list[Thought] = []
    texts: list[str] = []
    for piece in pieces:
        if piece.redacted is not None:
            if texts:
                found.append(Thought("".join(texts)))
            found.append(Thought("", redacted=piece.redacted))
            texts = []
            continue
        texts.append(piece.text)
        if piece.signature is not None:
            found.append(Thought("".join(texts), piece.signature))
            texts = []
    if texts:
        found.append(Thought("".join(texts)))
    return tuple(found)


@attrs.define
class _Call:
    type: str
    id: str = ""
    name: str = ""
    arguments: list[str] = attrs.field(factory=list)


@attrs.define
class Choice:
    """One of the answers to a request; *ending* of None means that it is not complete."""

    texts: list[str] = attrs.field(factory=list)
    reasonings: list[ReasoningDelta] = attrs.field(factory=list)
    refusals: list[str] = attrs.field(factory=list)
    logprobs: dict[str, list[object]] = attrs.field(factory=dict)
    citations: list[Citation] = attrs.field(factory=list)
    ending: Finish | None = None
    _calls: dict[int, _Call] = attrs.field(factory=dict, init=False)

    @property
    def finish(self) -> FinishReason | None:
        """Why it ended; None before that."""
        return None if self.ending is None else self.ending.reason

    @property
    def text(self) -> str:
        """The answer's text."""
        return "".join(self.texts)

    @property
    def reasoning(self) -> str:
        """The thinking before it."""
        return "".join(piece.text for piece in self.reasonings)

    @property
    def thoughts(self) -> tuple[Thought, ...]:
        """The same with its seals."""
        return thoughts_of(self.reasonings)

    @property
    def refusal(self) -> str:
        """The text with which the model declined."""
        return "".join(self.refusals)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of tools, by their index."""
        return tuple(
            ToolCall(call.id, call.name, "".join(call.arguments), call.type)
            for _, call in sorted(self._calls.items(), key=lambda item: item[0])
        )

    def add_tool_call(self, event: ToolCallDelta) -> None:
        """Take a piece of a tool call in; the first id and name that are given stay."""
        call = self._calls.setdefault(event.index, _Call(event.type))
        call.id = call.id or event.id or ""
        call.name = call.name or event.name or ""
        call.arguments.append(event.arguments)


@attrs.define
class Completion:
    """A whole answer; ``add`` takes the events as they come.

    *body* is the upstream's own JSON when it was handed on verbatim; then the rest is empty.
    """

    provider: str = ""
    model: str = ""
    choices: dict[int, Choice] = attrs.field(factory=dict)
    usage: Usage | None = None
    body: bytes | None = None

    def choice(self, index: int = 0) -> Choice:
        """The choice of that index, made when it is new."""
        return self.choices.setdefault(index, Choice())

    @property
    def complete(self) -> bool:
        """Whether every choice has come to its end."""
        if self.body is not None:
            return True
        return bool(self.choices) and all(c.finish is not None for c in self.choices.values())

    def add(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case Passthrough(data=data, usage=usage):
                self.body = data
                self.usage = usage or self.usage
            case Started(provider=provider, model=model):
                self.provider, self.model = provider, model
            case TextDelta(text=text, choice=index):
                self.choice(index).texts.append(text)
            case ReasoningDelta(choice=index):
                self.choice(index).reasonings.append(event)
            case RefusalDelta(text=text, choice=index):
                self.choice(index).refusals.append(text)
            case ToolCallDelta(choice=index):
                self.choice(index).add_tool_call(event)
            case Logprobs(data=data, choice=index):
                found = self.choice(index).logprobs
                for key, tokens in data.items():
                    if isinstance(tokens, list):
                        found.setdefault(key, []).extend(tokens)
            case Media(url=url, alt=alt, kind=kind):
                mark = "!" if kind == "image" else ""
                self.choice().texts.append(f"\n{mark}[{alt}]({url})\n")
            case Citations(links=links, choice=index):
                self.choice(index).citations.extend(links)
            case Usage():
                self.usage = event
            case Finish(choice=index):
                choice = self.choice(index)
                choice.ending = choice.ending or event
            case (  # pragma: no branch
                Preview() | Title() | Suggestions() | Status() | ConversationState()
            ):
                pass
