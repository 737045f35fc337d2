"""The schemas of answers; that answers fit them is tested with the whole document."""

from __future__ import annotations

import json
import re
from typing import Any

from openapi_schema_validator import OAS31Validator

from g4f_aio.server.answer_schemas import answer_schemas


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object schema in it."""
    found = []
    if isinstance(schema, dict):
        if "properties" in schema:
            found.append(schema)
        for value in schema.values():
            found += objects(value)
    if isinstance(schema, list):
        for value in schema:
            found += objects(value)
    return found


def test_they_are_valid_schemas() -> None:
    for schema in answer_schemas().values():
        OAS31Validator.check_schema(schema)


def test_they_refer_to_each_other_only() -> None:
    schemas = answer_schemas()
    names = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas))
    assert set(names) <= set(schemas)


def test_what_is_required_is_described_and_more_is_allowed() -> None:
    for schema in objects(answer_schemas()):
        assert set(schema.get("required", ())) <= set(schema["properties"])
        assert "additionalProperties" not in schema


def test_an_error_always_has_its_four_keys() -> None:
    error = answer_schemas()["ErrorObject"]
    assert error["required"] == ["message", "type", "param", "code"]
