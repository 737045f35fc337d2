"""GET /v1/models for clients of Anthropic's API."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import ModelInfo as AnthropicModel

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.models import ModelInfo
from g4f_aio.server.messages_models import LIMIT, model_entry, model_page
from tests.server.conftest import Start
from tests.server.fakes import Script, Server, entry

VERSION = {"anthropic-version": "2023-06-01"}
LISTED: list[dict[str, Any]] = [
    *({"id": f"m{number}", "created": number, "provider": False} for number in range(5)),
    {"id": "Acme", "created": 0, "provider": True},
]


def page(**query: str) -> tuple[list[str], bool]:
    """The ids of a page, and whether there are more."""
    found = model_page(LISTED, query)
    ids = [one["id"] for one in found["data"]]
    assert found["first_id"] == (ids[0] if ids else None)
    assert found["last_id"] == (ids[-1] if ids else None)
    return ids, found["has_more"]


def test_all_models_are_on_one_page_and_providers_are_none() -> None:
    assert page() == (["m0", "m1", "m2", "m3", "m4"], False)


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ({"limit": "2"}, ["m0", "m1"], True),
        ({"limit": "5"}, ["m0", "m1", "m2", "m3", "m4"], False),
        ({"after_id": "m1"}, ["m2", "m3", "m4"], False),
        ({"after_id": "m1", "limit": "2"}, ["m2", "m3"], True),
        ({"after_id": "m4"}, [], False),
        ({"before_id": "m3"}, ["m0", "m1", "m2"], False),
        ({"before_id": "m3", "limit": "2"}, ["m1", "m2"], True),
        ({"before_id": "m0"}, [], False),
        ({"after_id": "", "before_id": ""}, ["m0", "m1", "m2", "m3", "m4"], False),
    ],
)
def test_pages(query: dict[str, str], ids: list[str], more: bool) -> None:  # noqa: FBT001
    assert page(**query) == (ids, more)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": str(LIMIT + 1)}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"after_id": "m9"}, "after_id"),
        ({"before_id": "Acme"}, "before_id"),
    ],
)
def test_pages_that_there_are_not(query: dict[str, str], param: str) -> None:
    with pytest.raises(BadRequestError) as raised:
        page(**query)
    assert raised.value.param == param


def test_a_model_says_what_is_known_of_it() -> None:
    listed = {"id": "m", "created": 1759104000, "context_length": 5, "provider": False}
    assert model_entry(listed) == {
        "type": "model",
        "id": "m",
        "display_name": "m",
        "created_at": "2025-09-29T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 5,
        "max_tokens": None,
    }


@pytest.mark.parametrize("created", [10**18, -(10**18), 2**63])
def test_a_time_that_cannot_be_is_none(created: int) -> None:
    found = model_entry({"id": "m", "created": created, "provider": False})
    assert found["created_at"] == "1970-01-01T00:00:00Z"


async def test_clients_of_the_api_get_its_shape_and_others_do_not(start: Start) -> None:
    listed = (ModelInfo("small", context_length=5, created=1759104000), ModelInfo("a/b:c"))
    server = await start(entry(Script(listed=listed)))
    found = (await server.get("/v1/models", **VERSION)).json()
    assert set(found) == {"data", "has_more", "first_id", "last_id"}
    assert [one["id"] for one in found["data"]] == ["small", "a/b:c"]
    for one in found["data"]:
        AnthropicModel.model_validate(one, strict=False)
        again = (await server.get(f"/v1/models/{one['id']}", **VERSION)).json()
        assert again == one
    assert (await server.get("/v1/models")).json()["object"] == "list"
    assert (await server.get("/v1/models/small")).json()["object"] == "model"


async def test_a_page_is_asked_for_in_the_url(server: Server) -> None:
    found = (await server.get("/v1/models?limit=1&after_id=small", **VERSION)).json()
    assert [one["id"] for one in found["data"]] == ["large"]
    answer = await server.get("/v1/models?limit=x", **VERSION)
    assert answer.status == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
