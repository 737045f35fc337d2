"""OpenAI's moderations."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.dialects.openai_moderations import OPENAI_MODERATIONS, decode_answer

PARTS = [{"type": "text", "text": "a"}, "b"]


@pytest.mark.parametrize("given", ["a", ["a", "b"], PARTS, []])
def test_a_request(given: Any) -> None:
    body = {"model": "m", "input": given, "provider": "p", "x": 1}
    request = OPENAI_MODERATIONS.decode_request(orjson.dumps(body))
    assert request.raw == {"model": "m", "input": given, "x": 1}
    assert (request.model, request.routing.provider) == ("m", "p")


@pytest.mark.parametrize(
    ("given", "path"), [(None, "$.input"), (1, "$.input"), (["a", 1], "$.input[1]")]
)
def test_a_wrong_one_is_named(given: Any, path: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        OPENAI_MODERATIONS.decode_request(orjson.dumps({"input": given}))
    assert caught.value.message.startswith(f"{path}: expected a string")


def test_an_answer_is_handed_on_as_it_is() -> None:
    data = b'{"id": "m", "results": [{"flagged": false, "categories": {}}]}'
    assert decode_answer(data, "p") is data


def test_flagged_is_where_a_category_applies() -> None:
    results = [{"categories": {"a": False, "b": True}}, {"categories": {"a": False}}, {}]
    found = orjson.loads(decode_answer(orjson.dumps({"results": results}), "p"))
    assert [one["flagged"] for one in found["results"]] == [True, False, False]


@pytest.mark.parametrize(
    "data", [b"x", b"[]", b"{}", b'{"results":[1]}', b'{"error":{"message":"no"}}']
)
def test_what_is_none_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError):
        decode_answer(data, "p")
