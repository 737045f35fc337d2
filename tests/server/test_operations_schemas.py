"""The schemas of the smaller APIs; that answers fit them is tested with running servers."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pytest
from openapi_schema_validator import OAS31Validator

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects.openai_completions import OPENAI_COMPLETIONS
from g4f_aio.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from g4f_aio.dialects.openai_moderations import OPENAI_MODERATIONS
from g4f_aio.server.answer_schemas import answer_schemas
from g4f_aio.server.operations_schemas import EXAMPLES, operations_schemas

SCHEMAS = operations_schemas()
ALL = SCHEMAS | answer_schemas()
READ: dict[str, Any] = {
    "CompletionRequest": OPENAI_COMPLETIONS.decode_request,
    "EmbeddingRequest": OPENAI_EMBEDDINGS.decode_request,
    "ModerationRequest": OPENAI_MODERATIONS.decode_request,
}


def validator(name: str) -> OAS31Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": ALL}}
    return OAS31Validator(schema)


def test_they_are_valid_and_refer_to_what_there_is() -> None:
    for schema in SCHEMAS.values():
        OAS31Validator.check_schema(schema)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(SCHEMAS))) <= set(ALL)


def test_examples_fit() -> None:
    for name, body in EXAMPLES.items():
        validator(name).validate(body)
        READ[name](orjson.dumps(body))
    for name, schema in SCHEMAS.items():
        for body in schema.get("examples", ()):
            validator(name).validate(body)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("EmbeddingRequest", {"input": 1}),
        ("EmbeddingRequest", {"input": ["a", 1]}),
        ("EmbeddingRequest", {"encoding_format": "hex"}),
        ("EmbeddingRequest", {"dimensions": 1.5}),
        ("CompletionRequest", {"prompt": {}}),
        ("CompletionRequest", {"stop": 1}),
        ("CompletionRequest", {"stream": "no"}),
        ("ModerationRequest", {"input": [1]}),
        ("ModerationRequest", {"model": 1}),
    ],
)
def test_what_the_server_refuses_does_not_fit(name: str, fields: dict[str, Any]) -> None:
    body = EXAMPLES[name] | fields
    assert not validator(name).is_valid(body)
    with pytest.raises(BadRequestError):
        READ[name](orjson.dumps(body))
