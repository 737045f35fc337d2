"""The provider contract: what a subclass has for nothing, and what a call checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    BadRequestError,
    UnsupportedError,
    UpstreamAuthError,
)
from g4f_aio.core.messages import ImagePart
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import CallContext, Provider, Timeouts
from g4f_aio.core.requests import ChatRequest


@attrs.frozen(kw_only=True)
class Small(Provider):
    """A provider with one setting and one model."""

    name = "small"
    region: str = "eu"

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo(f"small-{self.region}"),)


@attrs.frozen
class Answer:
    """An upstream's answer that is already there."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)

    async def read(self) -> bytes:
        return self.body


def context(**values: Any) -> CallContext:
    return CallContext(http=None, provider="small", **values)  # type: ignore[arg-type]


async def test_a_provider_lists_what_it_knows_when_it_cannot_ask() -> None:
    provider = Small(region="us")
    assert await provider.fetch_models(context()) == (ModelInfo("small-us"),)
    assert Provider().models() == ()


async def test_a_provider_that_does_not_chat_says_so_by_name() -> None:
    with pytest.raises(UnsupportedError, match="small does not chat"):
        Small().chat(ChatRequest("m", ()), context())


def test_a_provider_gets_contents_and_no_urls_unless_it_says_otherwise() -> None:
    assert not Small().takes_url(ImagePart("https://a/"), ChatRequest("m", ()))
    assert context().fetch is None


async def test_a_provider_counts_no_tokens_unless_it_says_how() -> None:
    request = ChatRequest("m", ())
    assert await Small().count_tokens(request, context()) is None


async def test_a_provider_keeps_no_responses_unless_it_says_how() -> None:
    assert not Small().speaks("openai-responses")
    with pytest.raises(UnsupportedError, match="small keeps no responses"):
        await Small().kept_response("resp_1", context())


def test_the_fields_are_the_settings_and_the_class_says_what_it_is() -> None:
    assert [field.name for field in attrs.fields(Small)] == ["region"]
    assert Small.capabilities == Capability.CHAT | Capability.STREAM
    assert (Small.key, Small.local, Small.opt_in) == ("none", False, False)
    assert Small().missing() is None


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_success_passes_the_check(status: int) -> None:
    await context().check(Answer(status))  # type: ignore[arg-type]


async def test_a_failure_raises_the_error_that_fits() -> None:
    with pytest.raises(BadRequestError, match="small answered 422: no") as caught:
        await context().check(Answer(422, b'{"error": {"message": "no"}}'))  # type: ignore[arg-type]
    assert caught.value.status == 422


async def test_a_refused_credential_is_the_caller_s_only_when_it_was_his() -> None:
    refused: Any = Answer(401, b'{"error": {"message": "bad key sk-secret"}}')
    with pytest.raises(UpstreamAuthError) as ours:
        await context(credential="sk-secret").check(refused)
    with pytest.raises(AuthenticationError):
        await context(credential="sk-secret", own_credential=True).check(refused)
    assert "sk-secret" not in ours.value.message


def test_a_credential_is_in_no_repr() -> None:
    assert "sk-secret" not in repr(context(credential="sk-secret"))


def test_the_timeouts_are_those_that_the_reference_gives() -> None:
    assert Timeouts() == Timeouts(
        connect=5.0, headers=30.0, first_token=120.0, idle=60.0, total=600.0
    )
