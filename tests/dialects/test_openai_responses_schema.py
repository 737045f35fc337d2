"""The classes of the wire, and the tables that tell them apart."""

from __future__ import annotations

import attrs

from g4f_aio.dialects import openai_responses_schema as schema


def test_whatever_has_an_unknown_type_is_taken_for_what_it_says_it_is() -> None:
    for variants in schema.VARIANTS.values():
        assert variants[None] is schema.Typed


def test_every_class_of_a_union_has_its_type() -> None:
    assert set(schema.ITEMS.values()) == set(schema.Item.__args__)
    assert set(schema.TOOLS.values()) == {*schema.WireTool.__args__, schema.NamespaceTool}


def test_a_body_may_be_empty_as_far_as_its_shape_goes() -> None:
    assert all(field.default is None for field in attrs.fields(schema.ResponsesBody))
