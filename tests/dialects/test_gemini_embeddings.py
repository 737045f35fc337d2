"""Embeddings as Gemini writes them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from g4f_aio.core.errors import UnsupportedError, UpstreamError
from g4f_aio.dialects.gemini_embeddings import decode_answer, encode_request
from g4f_aio.dialects.openai_embeddings import OPENAI_EMBEDDINGS


def asked(**fields: Any) -> Any:
    return OPENAI_EMBEDDINGS.decode_request(orjson.dumps({"model": "m", "input": "a"} | fields))


def test_a_request() -> None:
    content = {"parts": [{"text": "a"}]}
    assert encode_request(asked(dimensions=2), "Gemini") == {
        "requests": [{"model": "models/m", "content": content, "outputDimensionality": 2}]
    }
    tuned = encode_request(asked(model="tunedModels/m"), "Gemini")
    assert tuned == {"requests": [{"model": "tunedModels/m", "content": content}]}


def test_tokens_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedError) as caught:
        encode_request(asked(input=[1, 2]), "Gemini")
    assert caught.value.param == "input"


def test_an_answer() -> None:
    found = decode_answer({"embeddings": [{"values": [1, 2.5]}]}, asked(), "Gemini")
    assert (found.vectors, found.model, found.usage) == (([1, 2.5],), "m", None)


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"embeddings": []}, {"embeddings": [1]}, {"embeddings": [{"values": None}]}],
    ids=str,
)
def test_what_is_none_is_an_error(answer: Any) -> None:
    with pytest.raises(UpstreamError):
        decode_answer(answer, asked(), "Gemini")
