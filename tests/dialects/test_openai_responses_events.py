"""The events that tell of items."""

from __future__ import annotations

from g4f_aio.dialects.openai_responses_events import added, done


def test_they_say_which_item_it_is() -> None:
    fields = {"output_index": 2, "item": {"id": "i"}}
    assert added(2, {"id": "i"}) == ("response.output_item.added", fields)
    assert done(2, {"id": "i"}) == ("response.output_item.done", fields)
