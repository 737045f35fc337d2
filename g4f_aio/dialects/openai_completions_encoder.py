"""Events into the stream and the body of a text completion.

https://platform.openai.com/docs/api-reference/completions/object
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from typing import Any

from ..core.completion import Choice, Completion
from ..core.errors import GatewayError
from ..core.events import (
    Citations,
    ConversationState,
    Event,
    Finish,
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
from ..core.operations import CompletionRequest
from ..core.tokens import TokenCount
from . import sse
from .json_text import dumps
from .openai_chat_encoder import error_object
from .openai_chat_usage import usage_object

_REASONS = ("stop", "length", "content_filter")


def new_id() -> str:
    """An id for a completion, unique and unguessable."""
    return f"cmpl-{secrets.token_urlsafe(21)}"


def head_of(model: str) -> dict[str, Any]:
    """What a whole answer and all chunks of a stream begin with."""
    created = int(time.time())
    return {"id": new_id(), "object": "text_completion", "created": created, "model": model}


def counted_usage(request: CompletionRequest, said: TokenCount) -> Usage:
    """Usage for an upstream that reported none."""
    return Usage(request.prompt_tokens, said.tokens, estimated=True)


class StreamEncoder:
    """Events into ``text_completion`` objects with a piece of the text each."""

    def __init__(self, request: CompletionRequest) -> None:
        self._request = request
        self._usage: Usage | None = None
        self._said = TokenCount()
        self._finished: set[int] = set()
        #: characters of each choice whose log probabilities were told
        self._told: dict[int, int] = {}
        self._passed_last = False
        self._head = head_of(request.model)

    def feed(self, event: Event) -> bytes:
        """The chunks for one event."""
        match event:
            case Passthrough(data=data, last=last):
                self._passed_last = self._passed_last or last
                return data
            case TextDelta(text=text, choice=choice) | RefusalDelta(text=text, choice=choice):
                self._said = self._said.plus(text)
                return self._chunk(choice, text)
            case Logprobs(data=data, choice=choice):
                start = self._told.get(choice, 0)
                found = legacy_logprobs(data, start)
                self._told[choice] = start + sum(map(len, found["tokens"]))
                return self._chunk(choice, logprobs=found)
            case Finish(reason=reason, choice=choice):
                if choice in self._finished:
                    return b""
                self._finished.add(choice)
                return self._chunk(choice, finish=_reason(reason))
            case Media(url=url, alt=alt, kind=kind):
                return self._chunk(0, f"\n{'!' * (kind == 'image')}[{alt}]({url})\n")
            case Status(text=text):
                return sse.comment(text)
            case Started(model=model):
                self._head["model"] = model
                return b""
            case Usage():
                self._usage = event
                return b""
            case (  # pragma: no branch
                ReasoningDelta()
                | ToolCallDelta()
                | Citations()
                | Preview()
                | Title()
                | Suggestions()
                | ConversationState()
            ):
                return b""

    def error(self, error: GatewayError) -> bytes:
        """An error event; nothing follows it, not even ``[DONE]``."""
        return sse.event(dumps(error_object(error)))

    def finish(self) -> bytes:
        """The usage where it was asked for, and ``[DONE]``."""
        if self._passed_last:
            return b""
        if not self._request.include_usage:
            return sse.DONE
        usage = usage_object(self._usage or counted_usage(self._request, self._said))
        return sse.event(dumps(self._head | {"choices": [], "usage": usage})) + sse.DONE

    def _chunk(
        self,
        choice: int,
        text: str = "",
        *,
        logprobs: dict[str, Any] | None = None,
        finish: str | None = None,
    ) -> bytes:
        said = {"text": text, "index": choice, "logprobs": logprobs, "finish_reason": finish}
        usage = {"usage": None} if self._request.include_usage else {}
        return sse.event(dumps(self._head | {"choices": [said]} | usage))


def encode_completion(request: CompletionRequest, completion: Completion) -> bytes:
    """A ``text_completion`` object."""
    if completion.body is not None:
        return completion.body
    answers = sorted(completion.choices.items())
    said = TokenCount()
    for _, choice in answers:
        said = said.plus(_text(choice))
    usage = completion.usage or counted_usage(request, said)
    return dumps(
        head_of(completion.model)
        | {
            "provider": completion.provider,
            "choices": [
                {
                    "text": _text(choice),
                    "index": index,
                    "logprobs": legacy_logprobs(choice.logprobs, 0) if choice.logprobs else None,
                    "finish_reason": _reason(choice.finish),
                }
                for index, choice in answers
            ],
            "usage": usage_object(usage),
        }
    )


def legacy_logprobs(data: dict[str, Any], start: int) -> dict[str, Any]:
    """Log probabilities as this API writes them; *start* is where their text begins."""
    if "content" not in data:
        return data
    found: dict[str, list[Any]] = {
        "tokens": [],
        "token_logprobs": [],
        "top_logprobs": [],
        "text_offset": [],
    }
    for one in _objects(data["content"]):
        token = str(one.get("token", ""))
        found["tokens"].append(token)
        found["token_logprobs"].append(one.get("logprob"))
        top = {
            str(other.get("token")): other.get("logprob")
            for other in _objects(one.get("top_logprobs"))
        }
        found["top_logprobs"].append(top)
        found["text_offset"].append(start)
        start += len(token)
    return found


def _text(choice: Choice) -> str:
    return choice.text + choice.refusal


def _reason(reason: str | None) -> str:
    return reason if reason in _REASONS else "stop"


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if type(one) is dict] if type(value) is list else ()
