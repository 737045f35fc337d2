"""What this gateway adds to requests."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.requests import NO_ROUTING, Routing
from g4f_aio.dialects.openai_extensions import (
    Extended,
    converter,
    routing_of,
    without_extensions,
)
from g4f_aio.dialects.structure import structured

EXACT = converter()


def read(raw: dict[str, Any]) -> Extended:
    return structured(raw, Extended, EXACT)


def test_who_says_nothing_leaves_it_to_the_settings() -> None:
    assert routing_of(read({"model": "m", "other": 1})) is NO_ROUTING
    assert routing_of(read({"provider": "", "api_key": "", "proxy": ""})) is NO_ROUTING


def test_the_caller_s_say() -> None:
    raw = {"provider": "a", "api_key": "k", "proxy": "http://p", "timeout": 2}
    assert routing_of(read(raw)) == Routing("a", None, {"": "k"}, "http://p", 2)
    named = routing_of(read({"api_key": {"a": "k"}}))
    assert (named.provider, named.api_keys) == (None, {"a": "k"})


def test_an_object_as_provider_is_for_the_upstream() -> None:
    raw = {"model": "m", "provider": {"order": ["x"]}, "timeout": 1}
    assert routing_of(read(raw)).provider is None
    assert without_extensions(raw) == {"model": "m", "provider": {"order": ["x"]}}


def test_an_upstream_sees_nothing_of_them() -> None:
    raw = {"model": "m", "provider": "a", "api_key": "k", "proxy": "p", "timeout": 1, "x": 2}
    assert without_extensions(raw) == {"model": "m", "x": 2}
    plain = {"model": "m"}
    assert without_extensions(plain) is plain


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ({"model": 1}, "$.model: expected a string"),
        ({"provider": []}, "$.provider: expected a string or an object"),
        ({"api_key": {"a": 1}}, "$.api_key: expected an object of strings"),
        ({"api_key": 1}, "$.api_key: expected a string or an object of strings"),
        ({"timeout": "1"}, "$.timeout: expected a number"),
    ],
)
def test_a_wrong_one_is_named(raw: dict[str, Any], what: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read(raw)
    assert caught.value.message.startswith(what)


@pytest.mark.parametrize("seconds", [0, -1.5])
def test_a_time_limit_is_more_than_nothing(seconds: float) -> None:
    with pytest.raises(BadRequestError, match="more than 0 seconds"):
        routing_of(read({"timeout": seconds}))
