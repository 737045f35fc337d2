"""The events that tell of the items of a response, without the numbers that they get in the stream."""

from __future__ import annotations

from typing import Any, Literal

#: what the dialect is called here
NAME = "openai-responses"

Json = dict[str, Any]
#: its type and its fields
Event = tuple[str, Json]
Status = Literal["in_progress", "completed", "incomplete"]


def added(index: int, item: Json) -> Event:
    """An item is there."""
    return "response.output_item.added", {"output_index": index, "item": item}


def done(index: int, item: Json) -> Event:
    """An item is whole, or cut."""
    return "response.output_item.done", {"output_index": index, "item": item}
