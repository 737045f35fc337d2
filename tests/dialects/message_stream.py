"""A stream of the Messages API put together to a message by the API's rules, and checked on the way."""

from __future__ import annotations

from typing import Any

import orjson

from . import strict
from .wire import Json, datas

_DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}


def events(stream: bytes) -> list[Json]:
    """The data of each event; its name is its type."""
    names = [
        line.removeprefix(b"event: ").decode()
        for line in stream.splitlines()
        if line.startswith(b"event: ")
    ]
    found = [orjson.loads(data) for data in datas(stream)]
    assert [event["type"] for event in found] == names
    return found


def checked(stream: bytes) -> Json:
    """As ``message``, for a stream all of whose events are of the shape that the SDK's types have."""
    for event in events(stream):
        strict.message_event(event)
    found = message(stream)
    strict.message(found)
    return found


def message(stream: bytes) -> Json:
    """The message that a whole stream makes up."""
    first, *rest = [event for event in events(stream) if event["type"] != "ping"]
    assert first["type"] == "message_start"
    found: Json = first["message"]
    assert found["content"] == []
    assert found["stop_reason"] is None
    partial: dict[int, str] = {}
    opened: int | None = None
    for number, event in enumerate(rest, 1):
        match event:
            case {"type": "content_block_start", "index": int(index), "content_block": block}:
                assert opened is None
                assert index == len(found["content"])
                found["content"].append(block)
                opened = index
            case {"type": "content_block_delta", "index": int(index), "delta": delta}:
                assert opened == index
                _add(found["content"][index], delta, partial, index)
            case {"type": "content_block_stop", "index": int(index)}:
                assert opened == index
                opened = None
            case {"type": "message_delta", "delta": ending, "usage": usage}:
                assert opened is None
                found |= ending
                found["usage"] |= {k: v for k, v in usage.items() if v is not None}
            case {"type": "message_stop"}:
                assert number == len(rest)
            case _:
                assert event["type"] not in ("message_start", "error")
    assert rest[-1] == {"type": "message_stop"}
    for index, text in partial.items():
        found["content"][index]["input"] = orjson.loads(text or "{}")
    return found


def _add(block: Json, delta: Any, partial: dict[int, str], index: int) -> None:
    match delta:
        case {"type": "input_json_delta", "partial_json": str(text)}:
            assert block["type"].endswith("tool_use")
            partial[index] = partial.get(index, "") + text
        case {"type": "citations_delta", "citation": citation}:
            block["citations"] = [*(block.get("citations") or ()), citation]
        case {"type": kind, **rest} if kind in _DELTAS:
            name = _DELTAS[kind]
            block[name] += rest[name]
        case _:
            pass
