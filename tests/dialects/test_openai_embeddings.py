"""OpenAI's embeddings."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types import CreateEmbeddingResponse

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.core.events import Usage
from g4f_aio.core.operations import EmbeddingRequest, Embeddings
from g4f_aio.dialects.openai_embeddings import (
    OPENAI_EMBEDDINGS,
    decode_answer,
    encode_answer,
    encode_request,
)
from g4f_aio.dialects.vectors import to_base64

ONE = to_base64([0.5, -1])


def asked(**fields: Any) -> EmbeddingRequest:
    body = {"model": "m", "input": "a"} | fields
    return OPENAI_EMBEDDINGS.decode_request(orjson.dumps(body))


def answer(*vectors: Any, **fields: Any) -> bytes:
    """An upstream's answer; a field of None is left out."""
    data = [
        {"object": "embedding", "index": index, "embedding": one}
        for index, one in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    body = {"object": "list", "data": data, "model": "m-1", "usage": usage} | fields
    return orjson.dumps({key: value for key, value in body.items() if value is not None})


def test_a_request() -> None:
    request = asked(
        input=["a", "bc"], encoding_format="base64", dimensions=2, user="u", provider="p", x=1
    )
    assert request.input == ("a", "bc")
    assert (request.base64, request.dimensions, request.routing.provider) == (True, 2, "p")
    assert request.raw["x"] == 1
    assert encode_request(request) == {
        "model": "m",
        "input": ["a", "bc"],
        "encoding_format": "base64",
        "dimensions": 2,
        "user": "u",
        "x": 1,
    }


def test_a_request_for_nothing_is_refused() -> None:
    for body in (b"{}", b"[]", b"x"):
        with pytest.raises(BadRequestError):
            OPENAI_EMBEDDINGS.decode_request(body)
    with pytest.raises(BadRequestError, match="float or base64"):
        asked(encoding_format="hex")


@pytest.mark.parametrize(("form", "vector"), [("float", [0.5, -1]), ("base64", ONE), (None, [1])])
def test_what_is_as_it_was_asked_for_is_handed_on(form: str | None, vector: Any) -> None:
    data = answer(vector)
    request = asked(encoding_format=form)
    found = decode_answer(data, request, "p")
    assert found.body is data
    assert (found.usage, found.model) == (
        Usage(3, raw={"prompt_tokens": 3, "total_tokens": 3}),
        "m-1",
    )
    assert encode_answer(request, found) is data


@pytest.mark.parametrize(
    ("form", "given", "wanted"), [("float", ONE, [0.5, -1.0]), ("base64", [0.5, -1], ONE)]
)
def test_each_encoding_becomes_the_other(form: str, given: Any, wanted: Any) -> None:
    request = asked(encoding_format=form)
    found = decode_answer(answer(given), request, "p")
    written = orjson.loads(encode_answer(request, found))
    assert written["data"] == [{"object": "embedding", "index": 0, "embedding": wanted}]
    assert written["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize(
    "fields",
    [{"object": None}, {"model": None}, {"usage": None}, {"usage": {"prompt_tokens": 3}}],
    ids=str,
)
def test_what_is_incomplete_is_written_anew(fields: dict[str, Any]) -> None:
    request = asked()
    found = decode_answer(answer([1], **fields), request, "p")
    written = encode_answer(request, found)
    CreateEmbeddingResponse.model_validate(orjson.loads(written), strict=True)


def test_vectors_get_the_order_of_the_texts() -> None:
    data = [{"embedding": [2], "index": 1}, {"embedding": [1], "index": 0}]
    found = decode_answer(answer(data=data), asked(input=["a", "b"]), "p")
    assert list(found.vectors) == [[1], [2]]
    unnumbered = [{"embedding": [1]}, {"embedding": [2]}]
    found = decode_answer(answer(data=unnumbered), asked(input=["a", "b"]), "p")
    assert list(found.vectors) == [[1], [2]]


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b"[]",
        answer(),
        answer([1], [2]),
        answer(data=[1]),
        answer(data=[{"embedding": [1], "index": 1}]),
        answer(data=[{"embedding": [1], "index": "0"}]),
        answer(data=[{"index": 0}]),
        answer(["a"]),
        answer("!"),
        b'{"error":{"message":"no"}}',
    ],
)
def test_what_is_no_answer_is_an_error(data: bytes) -> None:
    with pytest.raises(UpstreamError):
        decode_answer(data, asked(), "p")


def test_one_vector_twice_is_an_error() -> None:
    data = [{"embedding": [1], "index": 0}, {"embedding": [2], "index": 0}]
    with pytest.raises(UpstreamError):
        decode_answer(answer(data=data), asked(input=["a", "b"]), "p")


def test_a_provider_s_own_vectors() -> None:
    request = asked(input=["a", "b"])
    found = Embeddings(([1.0], ONE), usage=Usage(4, estimated=True))
    written = orjson.loads(encode_answer(request, found))
    CreateEmbeddingResponse.model_validate(written, strict=True)
    assert [one["embedding"] for one in written["data"]] == [[1.0], [0.5, -1.0]]
    assert written["model"] == "m"
    assert written["usage"] == {"prompt_tokens": 4, "total_tokens": 4, "estimated": True}
