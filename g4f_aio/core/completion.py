"""Events put together to a whole answer, for clients that do not stream and for storage."""

from __future__ import annotations

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
from .messages import ToolCall


@attrs.define
class Choice:
    """One of the answers to a request; *finish* of None means that it is not complete."""

    texts: list[str] = attrs.field(factory=list)
    reasonings: list[str] = attrs.field(factory=list)
    refusals: list[str] = attrs.field(factory=list)
    tool_calls: dict[int, ToolCall] = attrs.field(factory=dict)
    logprobs: list[object] = attrs.field(factory=list)
    citations: list[Citation] = attrs.field(factory=list)
    finish: FinishReason | None = None

    @property
    def text(self) -> str:
        """The answer's text."""
        return "".join(self.texts)

    @property
    def reasoning(self) -> str:
        """The thinking before it."""
        return "".join(self.reasonings)

    @property
    def refusal(self) -> str:
        """The text with which the model declined."""
        return "".join(self.refusals)


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
            case Started(provider=provider, model=model):
                self.provider, self.model = provider, model
            case TextDelta(text=text, choice=index):
                self.choice(index).texts.append(text)
            case ReasoningDelta(text=text, choice=index):
                self.choice(index).reasonings.append(text)
            case RefusalDelta(text=text, choice=index):
                self.choice(index).refusals.append(text)
            case ToolCallDelta():
                self._tool_call(event)
            case Logprobs(data=data, choice=index):
                content = data.get("content")
                if isinstance(content, list):
                    self.choice(index).logprobs.extend(content)
            case Media(url=url, alt=alt, kind=kind):
                mark = "!" if kind == "image" else ""
                self.choice().texts.append(f"\n{mark}[{alt}]({url})\n")
            case Citations(links=links):
                self.choice().citations.extend(links)
            case Usage():
                self.usage = event
            case Finish(reason=reason, choice=index):
                self.choice(index).finish = reason
            case Passthrough(data=data, usage=usage):
                self.body = data
                self.usage = usage or self.usage
            case Preview() | Title() | Suggestions() | Status() | ConversationState():
                pass

    def _tool_call(self, event: ToolCallDelta) -> None:
        calls = self.choice(event.choice).tool_calls
        known = calls.get(event.index)
        if known is None:
            known = ToolCall(event.id or "", event.name or "", "")
        calls[event.index] = ToolCall(
            known.id or event.id or "",
            known.name or event.name or "",
            known.arguments + event.arguments,
        )
