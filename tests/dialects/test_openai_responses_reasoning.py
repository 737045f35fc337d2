"""What a model thinks, while it is written."""

from __future__ import annotations

import pytest

from g4f_aio.core.events import ReasoningDelta
from g4f_aio.core.messages import Thought
from g4f_aio.dialects.openai_responses_reasoning import ReasoningItem
from g4f_aio.dialects.openai_responses_seals import opened


@pytest.mark.parametrize(
    ("summarized", "name", "kind"),
    [(True, "summary", "summary_text"), (False, "content", "reasoning_text")],
)
def test_thoughts(summarized: bool, name: str, kind: str) -> None:  # noqa: FBT001
    item = ReasoningItem(0, summarized)
    assert item.wire("in_progress")[name] == []
    assert [kind for kind, _ in item.begin()] == ["response.output_item.added"]
    (_, part), (_, said) = item.say(ReasoningDelta("Hm."))
    assert part["part"] == {"type": kind, "text": ""}
    assert said["delta"] == "Hm."
    assert said[f"{name}_index"] == 0
    assert [event["delta"] for _, event in item.say(ReasoningDelta(" So."))] == [" So."]
    (_, whole), (_, _), (_, done) = item.end("completed")
    assert whole["text"] == "Hm. So."
    assert done["item"][name] == [{"type": kind, "text": "Hm. So."}]
    assert done["item"]["encrypted_content"] is None
    assert item.id.startswith("rs_local")


def test_their_seals_are_for_the_provider_that_they_are_of() -> None:
    item = ReasoningItem(0, summarized=False, provider="work")
    for piece in (
        ReasoningDelta("a"),
        ReasoningDelta("b", signature="s"),
        ReasoningDelta("", redacted="r"),
    ):
        list(item.say(piece))
    content = item.wire("completed")["encrypted_content"]
    assert opened(content) == (Thought("ab", "s", by="work"), Thought("", None, "r", by="work"))


def test_seals_alone_have_no_part() -> None:
    item = ReasoningItem(0, summarized=True, provider="work")
    assert list(item.say(ReasoningDelta("", signature="s"))) == []
    ((kind, done),) = item.end("completed")
    assert kind == "response.output_item.done"
    assert done["item"]["summary"] == []
    assert opened(done["item"]["encrypted_content"]) == (Thought("", "s", by="work"),)
