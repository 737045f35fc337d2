"""Wire classes as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import attrs
import pytest
from openapi_schema_validator import OAS31Validator

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects.openai_chat_schema import VARIANTS, Body, structure
from g4f_aio.server.json_schema import Schemas

Pet = int | bytes


@attrs.frozen
class _Cat:
    lives: int = 9


@attrs.frozen
class _Other:
    type: str


@attrs.frozen
class _Owner:
    name: str
    pets: list[Pet]
    friends: list[_Owner] | None = None
    mood: Literal["good", "bad"] = "good"
    notes: dict[str, Any] = attrs.field(factory=dict)
    ages: dict[str, float] | None = None
    alive: bool | str | None = None


def test_a_class_is_an_object_with_its_fields() -> None:
    schemas = Schemas({Pet: {"cat": _Cat, None: _Other}}, {_Owner: "Human"})
    assert schemas.of(_Owner) == {"$ref": "#/components/schemas/Human"}
    assert schemas.components == {
        "Human": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "pets": {
                    "type": "array",
                    "items": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Cat"},
                            {
                                "type": "object",
                                "description": "Of any other type; handed on as it is.",
                                "properties": {
                                    "type": {"type": "string", "not": {"enum": ["cat"]}}
                                },
                                "required": ["type"],
                            },
                        ]
                    },
                },
                "friends": {
                    "anyOf": [
                        {"type": "array", "items": {"$ref": "#/components/schemas/Human"}},
                        {"type": "null"},
                    ]
                },
                "mood": {"type": "string", "enum": ["good", "bad"]},
                "notes": {"type": "object"},
                "ages": {
                    "anyOf": [
                        {"type": "object", "additionalProperties": {"type": "number"}},
                        {"type": "null"},
                    ]
                },
                "alive": {"type": ["boolean", "string", "null"]},
            },
            "required": ["name", "pets"],
        },
        "Cat": {
            "type": "object",
            "properties": {"type": {"const": "cat"}, "lives": {"type": "integer"}},
            "required": ["type"],
        },
    }


def test_a_union_with_one_class_is_that_class() -> None:
    schemas = Schemas({Pet: {"cat": _Cat}}, {})
    assert schemas.of(Pet) == {"$ref": "#/components/schemas/Cat"}


def test_a_class_without_needed_fields_requires_none() -> None:
    schemas = Schemas({}, {})
    schemas.of(_Cat)
    assert "required" not in schemas.components["Cat"]


def test_what_json_does_not_have_has_no_schema() -> None:
    with pytest.raises(TypeError, match="bytes"):
        Schemas({}, {}).of(bytes)


def test_two_classes_do_not_share_a_name() -> None:
    schemas = Schemas({}, {_Other: "Cat"})
    schemas.of(_Cat)
    with pytest.raises(ValueError, match="two classes are called Cat"):
        schemas.of(_Other)


# the schema says what the server takes


def request_schema() -> OAS31Validator:
    schemas = Schemas(VARIANTS, {})
    return OAS31Validator({**schemas.of(Body), "components": {"schemas": schemas.components}})


GOOD: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief.", "name": "boss"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
                {"type": "image_url", "image_url": "https://example.org/x.png"},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                {"type": "file", "file": {"file_id": "f", "filename": "a.txt"}},
                {"type": "video_url", "video_url": {"url": "data:y"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm.",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "2", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ],
        },
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "tool", "tool_call_id": "1", "content": "4"},
    ],
    "stream": False,
    "stream_options": {"include_usage": True},
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 10,
    "stop": ["a"],
    "n": 1,
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}},
        {"type": "custom", "custom": {"name": "g"}},
    ],
    "tool_choice": "auto",
    "response_format": {"type": "json_object"},
    "logit_bias": {"1": 2},
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "provider": "work",
    "api_key": {"work": "sk"},
    "timeout": 5,
    "web_search": False,
    "x_unknown": [1],
}


def taken(body: Any) -> bool:
    """Whether the server takes it."""
    try:
        structure(body)
    except BadRequestError:
        return False
    return True


def test_what_uses_every_field_fits_the_schema_and_the_server() -> None:
    request_schema().validate(GOOD)
    assert taken(GOOD)


def wrong() -> list[Any]:
    """The good request, each time with another value in the place of one of its own."""
    return [body for body in variations(GOOD) if isinstance(body, dict)]


def variations(value: Any) -> Iterator[Any]:
    """Other values in the place of *value*, and of each one in it."""
    yield from ("nonsense", 7, 1.5, True, None, [], [7], {}, {"type": "text"})
    match value:
        case dict():
            for key, one in value.items():
                yield {name: kept for name, kept in value.items() if name != key}
                yield from ({**value, key: other} for other in variations(one))
        case list():
            for at, one in enumerate(value):
                yield from ([*value[:at], other, *value[at + 1 :]] for other in variations(one))
        case _:
            pass


def test_what_does_not_fit_the_one_does_not_fit_the_other() -> None:
    """Except that the server takes tools and calls without a type for functions."""
    schema = request_schema()
    differing = [body for body in wrong() if schema.is_valid(body) != taken(body)]
    for body in differing:
        assert taken(body), "the schema allows what the server refuses"
        objects = [*body["tools"], *body["messages"][2]["tool_calls"]]
        assert any(one.get("type") not in ("function", "custom") for one in objects)
