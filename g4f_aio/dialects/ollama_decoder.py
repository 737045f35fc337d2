"""An answer of Ollama's own chat API, streamed or whole, into events.

It comes as lines of JSON; the last one says that it is ``done``, why, and what it took.
https://docs.ollama.com/api/chat and https://docs.ollama.com/api/errors
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.errors import UpstreamError
from ..core.events import (
    Event,
    Finish,
    FinishReason,
    Logprobs,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from ..core.upstream_errors import error_in_answer
from . import json_text
from .openai_chat_decoder import cut, malformed
from .openai_chat_encoder import new_call_id

Json = dict[str, Any]

#: bytes of a line that are held back at most
LIMIT = 16 * 2**20
#: what an answer took: tokens, and times in nanoseconds
_METRICS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


class OllamaDecoder:
    """The lines of one request's answer into events; they may be cut anywhere.

    *single*: only the first call of a tool counts. *credential*: what no error may quote.
    """

    def __init__(
        self,
        provider: str,
        *,
        single: bool = False,
        credential: str | None = None,
        limit: int = LIMIT,
    ) -> None:
        self._provider = provider
        self._single = single
        self._credential = credential
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._calls: list[str] = []
        self._joiner = json_text.Joiner()
        self._done = False

    @property
    def done(self) -> bool:
        """Whether the last line was read."""
        return self._done

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events in the lines that end in *data*; what follows the last one is ignored."""
        lines, newline, rest = data.rpartition(b"\n")
        if newline:
            whole = b"".join((*self._held, lines))
            self._held.clear()
            self._size = 0
            for line in whole.split(b"\n"):
                yield from self._line(line)
        self._hold(rest)

    def close(self) -> Iterator[Event]:
        """What a last line without its end says; UpstreamError when the answer is not done."""
        rest = b"".join(self._held)
        self._held.clear()
        if not (rest.startswith(b"{") and _is_torn(rest)):
            yield from self._line(rest)
        if not self._done:
            raise cut(self._provider)

    def body(self, data: bytes) -> Iterator[Event]:
        """The events of a whole answer."""
        yield from self.feed(data)
        yield from self.close()

    def _hold(self, data: bytes) -> None:
        """Keep the beginning of a line, of which a server without measure may send any amount."""
        if not data:
            return
        self._held.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise UpstreamError(
                f"{self._provider} sent a line of more than {self._limit} bytes",
                provider=self._provider,
            )

    def _line(self, line: bytes) -> Iterator[Event]:
        if self._done or not line.strip():
            return
        try:
            value = json_text.loads(line)
        except ValueError:
            raise malformed(self._provider, line) from None
        if type(value) is not dict:
            raise malformed(self._provider, line)
        if problem := value.get("error"):
            raise error_in_answer(problem, provider=self._provider, credential=self._credential)
        message = value.get("message")
        if type(message) is dict:
            yield from self._message(message)
        if tokens := _objects(value.get("logprobs")):
            # it leaves out what is empty
            content = [{"bytes": None, "top_logprobs": [], **token} for token in tokens]
            yield Logprobs({"content": content, "refusal": None})
        if value.get("done") is True:
            self._done = True
            yield Finish(self._finish(value.get("done_reason")))
            if usage := _usage(value):
                yield usage

    def _message(self, message: Json) -> Iterator[Event]:
        if thoughts := self._text(message, "thinking"):
            yield ReasoningDelta(thoughts)
        if text := self._text(message, "content"):
            yield TextDelta(text)
        for call in _objects(message.get("tool_calls")):
            if not (self._single and self._calls):
                yield self._call(call)

    def _text(self, message: Json, name: str) -> str:
        text = message.get(name)
        return self._joiner.feed(text, name) if isinstance(text, str) and text else ""

    def _call(self, call: Json) -> ToolCallDelta:
        """A call, which always comes whole; older versions give it no id."""
        function = call.get("function")
        called = function if type(function) is dict else {}
        id_ = call.get("id")
        id_ = new_call_id(id_ if isinstance(id_, str) else None, self._calls)
        self._calls.append(id_)
        arguments = called.get("arguments")
        if not isinstance(arguments, str):
            arguments = json_text.dumps(arguments or {}).decode()
        return ToolCallDelta(len(self._calls) - 1, id_, str(called.get("name") or ""), arguments)

    def _finish(self, reason: object) -> FinishReason:
        if reason == "length":
            return "length"
        return "tool_calls" if self._calls else "stop"


def _is_torn(line: bytes) -> bool:
    """Whether it is only the beginning of a line."""
    try:
        json_text.loads(line)
    except ValueError:
        return True
    return False


def _usage(last: Json) -> Usage | None:
    """The tokens in the last line; None where it counts none."""
    raw = {name: last[name] for name in _METRICS if type(last.get(name)) is int}
    if "prompt_eval_count" not in raw and "eval_count" not in raw:
        return None
    return Usage(
        # a prompt that was wholly in the cache is not counted by older versions
        input=raw.get("prompt_eval_count", 0),
        output=raw.get("eval_count", 0),
        raw=raw,
    )


def _objects(value: Any) -> list[Json]:
    return [item for item in value if type(item) is dict] if type(value) is list else []
