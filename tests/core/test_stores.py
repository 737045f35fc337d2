"""What a kept response says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.stores import ResponseKey, StoredResponse


def stored(**body: Any) -> StoredResponse:
    return StoredResponse(ResponseKey("alice", "r1"), body, (), "P")


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("queued", False),
        ("in_progress", False),
        ("completed", True),
        ("incomplete", True),
        ("cancelled", True),
        (None, True),
    ],
)
def test_when_a_response_is_over(status: str | None, over: bool) -> None:  # noqa: FBT001
    assert stored(status=status).over is over


def test_the_output_is_items_alone() -> None:
    item = {"type": "message", "id": "m1"}
    assert stored(output=[1, item]).output == [item]
    assert stored(output=None).output == stored().output == []
