"""The input of a response, page by page and of the shape that OpenAI's SDK has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseItem
from openai.types.responses.response_item_list import ResponseItemList
from pydantic import TypeAdapter

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects.openai_responses_listing import page, whole_item

Json = dict[str, Any]

ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)
ITEMS: list[Json] = [
    {"role": "user", "content": "Hi"},
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "x"}]},
    {"role": "user", "content": [{"type": "input_image", "image_url": "https://x"}]},
    {"role": "assistant", "content": "Hello", "status": None},
    {"role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": None},
    {"type": "function_call_output", "call_id": "c", "output": "12"},
    {"type": "custom_tool_call", "call_id": "d", "name": "p", "input": "x"},
    {"type": "custom_tool_call_output", "call_id": "d", "output": "y"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
]


@pytest.mark.parametrize("item", ITEMS)
def test_items_are_whole(item: Json) -> None:
    found = whole_item(item, "resp_abc", 1)
    ITEM.validate_python(found, strict=True)
    assert found["id"].endswith("_abc0001")
    assert found["id"] != "_abc0001"
    assert whole_item({**item, "id": "given"}, "resp_abc", 1)["id"] == "given"


def test_what_nobody_knows_is_kept() -> None:
    found = whole_item({"type": "new_call", "x": [1]}, "resp_abc", 0)
    assert found == {"id": "item_abc0000", "type": "new_call", "x": [1]}


def test_a_page() -> None:
    found = page(ITEMS, "resp_abc", {"limit": "3"})
    ResponseItemList.model_validate(found, strict=True)
    assert [item["type"] for item in found["data"]] == [
        "reasoning",
        "custom_tool_call_output",
        "custom_tool_call",
    ]
    assert found["has_more"] is True
    assert found["first_id"] == found["data"][0]["id"]
    assert found["last_id"] == found["data"][-1]["id"]


def test_an_empty_page() -> None:
    found = page([], "resp_abc", {})
    assert found == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@given(
    st.integers(0, 45),
    st.integers(1, 100),
    st.sampled_from(["asc", "desc", None]),
)
def test_page_by_page_everything_comes_once(count: int, limit: int, order: str | None) -> None:
    items = [{"role": "user", "content": str(number)} for number in range(count)]
    query = {"limit": str(limit)} | ({} if order is None else {"order": order})
    found: list[Json] = []
    while True:
        one = page(items, "resp_abc", query)
        found += one["data"]
        if not one["has_more"]:
            break
        assert len(one["data"]) == limit
        query["after"] = one["last_id"]
    said = [int(item["content"][0]["text"]) for item in found]
    assert said == sorted(range(count), reverse=order != "asc")


def test_without_a_limit_there_are_twenty() -> None:
    items = [{"role": "user", "content": "x"}] * 21
    assert len(page(items, "resp_abc", {})["data"]) == 20


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"order": "up"}, "order"),
        ({"after": "msg_none"}, "after"),
    ],
)
def test_a_wrong_parameter_is_named(query: dict[str, str], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        page(ITEMS, "resp_abc", query)
    assert caught.value.param == param
