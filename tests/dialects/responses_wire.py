"""What tests of the Responses API share: requests, and streams read as OpenAI's own SDK reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from g4f_aio.core.events import Event, Finish
from g4f_aio.core.requests import ChatRequest
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.dialects.openai_responses_encoder import StreamEncoder

from . import strict

Json = dict[str, Any]

TERMINAL = ("response.completed", "response.incomplete", "response.failed")


def asked(**fields: Any) -> ChatRequest:
    """A streaming request as a client sends it."""
    return OPENAI_RESPONSES.decode_request(
        orjson.dumps({"model": "m", "input": "Hi", "stream": True} | fields)
    )


def written(events: Iterable[Event], request: ChatRequest | None = None) -> bytes:
    """The whole stream for *events*; a finish is added where there is none."""
    told = list(events)
    if not any(isinstance(event, Finish) for event in told):
        told.append(Finish())
    encoder = StreamEncoder(request or asked())
    return b"".join([*map(encoder.feed, told), encoder.finish()])


def read(stream: bytes) -> list[Json]:
    """The events of a stream, each of the shape that the SDK's types have, strictly."""
    found: list[Json] = []
    for block in stream.decode().split("\n\n")[:-1]:
        if block.startswith(":"):
            continue
        first, second = block.split("\n")
        event = orjson.loads(second.removeprefix("data: "))
        assert first == f"event: {event['type']}"
        strict.response_event(event)
        found.append(event)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def checked(stream: bytes) -> Json:
    """The response at the end of a stream whose events are in order and tell the same as it."""
    events = read(stream)
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    items: dict[int, Json] = {}
    said: dict[tuple[int, str, int], str] = {}
    parts: dict[int, list[str]] = {}
    ended: dict[int, Json] = {}
    for event in events[2:-1]:
        kind, index = event["type"].removeprefix("response."), event["output_index"]
        if kind == "output_item.added":
            assert index == len(items)
            items[index] = event["item"]
            assert event["item"]["status"] == "in_progress"
            continue
        assert index not in ended
        if kind == "output_item.done":
            assert "open" not in parts.get(index, ())
            ended[index] = event["item"]
            assert event["item"]["id"] == items[index]["id"]
            continue
        assert event["item_id"] == items[index]["id"]
        name, _, what = kind.rpartition(".")
        part = int(event.get("content_index") or event.get("summary_index") or 0)
        place = (index, name, part)
        if what == "added" and "part" in event:  # one part after the other
            assert "open" not in parts.setdefault(index, [])
            assert part == len(parts[index])
            parts[index].append("open")
            continue
        if index in parts:
            assert parts[index][part] == "open"
        if what == "delta":
            said[place] = said.get(place, "") + event["delta"]
        elif what == "done" and "part" in event:
            parts[index][part] = "closed"
        elif what == "done":
            whole = next(
                event[key] for key in ("text", "refusal", "arguments", "input") if key in event
            )
            assert whole == said.get(place, "")
    response: Json = events[-1]["response"]
    strict.response(response)
    began = events[0]["response"]
    assert events[1]["response"] == began
    for same in ("id", "created_at", "model", "tools", "instructions", "metadata"):
        assert response[same] == began[same]
    if response["status"] == "failed":
        return response
    assert [ended[index] for index in sorted(ended)] == response["output"]
    assert ended.keys() == items.keys()
    ids = [response["id"], *(item["id"] for item in response["output"])]
    assert len(set(ids)) == len(ids)
    return response


def kinds(stream: bytes) -> list[str]:
    """The types of the events."""
    return [event["type"].removeprefix("response.") for event in read(stream)]
