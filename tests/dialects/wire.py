"""What tests of dialects share: cutting streams up, feeding them, reading them independently."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

from g4f_aio.core.completion import Completion
from g4f_aio.core.events import Event, Passthrough
from g4f_aio.core.requests import ChatRequest
from g4f_aio.dialects.base import Decoder
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.sse import FrameSplitter

Json = dict[str, Any]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """*data* in pieces, cut at *places*, which count modulo its length."""
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[begin:end] for begin, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def request(**fields: Any) -> ChatRequest:
    """A streaming request as a client sends it."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return OPENAI_CHAT.decode_request(orjson.dumps(body | fields))


def fed(decoder: Decoder, pieces: Iterable[bytes]) -> list[Event]:
    """The events of a stream that arrives in *pieces* and ends properly."""
    splitter = FrameSplitter()
    events: list[Event] = []
    for piece in pieces:
        if frames := splitter.feed(piece):
            events.extend(decoder.feed(frames))
    if frames := splitter.close():
        events.extend(decoder.feed(frames))
    events.extend(decoder.close())
    return events


def passed(events: Iterable[Event]) -> bytes:
    """The bytes handed on in *events*, which are nothing else."""
    return b"".join(event.data for event in events if isinstance(event, Passthrough))


def whole(events: Iterable[Event]) -> Completion:
    """The answer that *events* make up."""
    completion = Completion()
    for event in events:
        completion.add(event)
    return completion


def described(completion: Completion) -> Json:
    """An answer as the samples describe one."""
    found = []
    for _, choice in sorted(completion.choices.items()):
        everything = {
            "text": choice.text,
            "reasoning": choice.reasoning,
            "refusal": choice.refusal,
            "tool_calls": [[c.id, c.type, c.name, c.arguments] for c in choice.tool_calls],
            "logprobs": choice.logprobs,
            "citations": [[link.url, link.title] for link in choice.citations],
            "finish": choice.finish,
        }
        found.append({key: value for key, value in everything.items() if value})
    usage = completion.usage
    counts = usage and [usage.input, usage.output, usage.cached, usage.reasoning]
    return {"choices": found, "usage": counts}


def frame(value: object) -> bytes:
    """One event with *value* as JSON."""
    return b"data: " + orjson.dumps(value) + b"\n\n"


def chunk(delta: Json | None = None, *, index: int = 0, finish: str | None = None) -> Json:
    """A chunk as an upstream writes it."""
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "up",
        "choices": [choice],
    }


DONE = b"data: [DONE]\n\n"


def datas(stream: bytes) -> list[bytes]:
    """The data of each event that has any, read line by line as the HTML standard says."""
    found: list[bytes] = []
    lines: list[bytes] = []
    for line in re.split(rb"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf")):
        field, _, value = line.partition(b":")
        if line == b"" and lines:
            found.append(b"\n".join(lines))
            lines = []
        elif field == b"data":
            lines.append(value.removeprefix(b" "))
    return found


def chunks(stream: bytes) -> list[Json]:
    """The JSON of each event, ``[DONE]`` left out."""
    return [orjson.loads(data) for data in datas(stream) if data != b"[DONE]"]
