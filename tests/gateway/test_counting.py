"""Tokens are counted by whoever would answer, or estimated."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio.core.errors import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    ModelNotFoundError,
    OverloadedError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.models import ModelInfo
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.core.request_tokens import FRAME, REPLY
from g4f_aio.core.requests import NO_ROUTING, ChatRequest
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.gateway import counting
from g4f_aio.gateway.counting import Count, count_tokens
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.gateway.tokenizing import TokenCounter
from g4f_aio.providers.pool import Pool
from g4f_aio.settings import ProviderSettings, RoutingSettings, Settings
from tests.gateway.conftest import Install
from tests.gateway.test_tokenizing import SOURCE

QUIET = Settings(routing=RoutingSettings(detect_local=False))


@attrs.frozen(kw_only=True)
class Counting(Provider):
    """Counts as it is told: a number, nothing, something odd, an error, or never."""

    name: ClassVar[str] = "counting"
    key: ClassVar[str] = "optional"

    says: Any = None
    seen: list[tuple[ChatRequest, CallContext]] = attrs.field(factory=list)

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("large", aliases=("big",)),)

    async def count_tokens(self, request: ChatRequest, ctx: CallContext) -> int | None:
        self.seen.append((request, ctx))
        match self.says:
            case Exception() as error:
                raise error
            case float() as seconds:
                await asyncio.sleep(seconds)
                return None
            case found:
                said: int | None = found
                return said


def entry(name: str = "one", says: Any = None, **settings: Any) -> Entry:
    """A provider that counts like that."""
    table = ProviderSettings(type=name, **settings)
    return Entry(name, name, "tests", "1.0", table, Counting(says=says), chosen=True)


def asked(model: str = "big", **fields: Any) -> ChatRequest:
    body = b'{"messages": [{"role": "user", "content": "Hello big world"}]}'
    return attrs.evolve(OPENAI_CHAT.decode_request(body), model=model, **fields)


async def counted(session: Pool, *entries: Entry, request: ChatRequest | None = None) -> Count:
    """The count of a request at a gateway with these providers."""
    gateway = Gateway(QUIET, Registry.of(*entries, settings=QUIET), session)
    return await count_tokens(request or asked(), gateway.now, gateway.desk)


def seen(one: Entry) -> list[tuple[ChatRequest, CallContext]]:
    """What its provider was asked."""
    assert isinstance(one.provider, Counting)
    return one.provider.seen


async def test_who_would_answer_counts(session: Pool) -> None:
    first, second = entry("one", 7), entry("two", 8)
    assert await counted(session, first, second) == Count(7, "one", "large", estimated=False)
    ((request, context),) = seen(first)
    assert request.model == "large"
    assert (context.provider, context.credential) == ("one", None)
    assert seen(second) == []


async def test_who_counts_nothing_has_an_estimate(session: Pool) -> None:
    first, second = entry("one", None), entry("two", 8)
    found = await counted(session, first, second)
    assert found == Count(10, "one", "large", estimated=True)


async def test_who_counts_nothing_is_counted_for_where_a_tokenizer_is_installed(
    session: Pool, install: Install
) -> None:
    await asyncio.to_thread(install, "words", SOURCE)
    gateway = Gateway(QUIET, Registry.of(entry("one", None), settings=QUIET), session)
    gateway.desk.tokens = TokenCounter("words")
    found = await count_tokens(asked(), gateway.now, gateway.desk)
    assert found == Count(30 + FRAME + REPLY, "one", "large", estimated=True)


async def test_with_the_key_of_the_server_or_of_the_caller(session: Pool) -> None:
    one = entry("one", 7, api_keys=("sk-1", "sk-2"))
    await counted(session, one)
    await counted(session, one, request=asked(routing=attrs.evolve(NO_ROUTING, api_keys={"": "k"})))
    (_, ours), (_, own) = seen(one)
    assert (ours.credential, ours.own_credential) == ("sk-1", False)
    assert (own.credential, own.own_credential) == ("k", True)


async def test_another_one_counts_where_the_first_fails(session: Pool) -> None:
    found = await counted(session, entry("one", OverloadedError("busy")), entry("two", 8))
    assert found == Count(8, "two", "large", estimated=False)


async def test_where_nobody_can_it_is_the_last_ones_error(session: Pool) -> None:
    failing = entry("one", OverloadedError("busy")), entry("two", UpstreamError("broken"))
    with pytest.raises(UpstreamError, match="broken"):
        await counted(session, *failing)


@pytest.mark.parametrize("error", [BadRequestError("no"), AuthenticationError("no")])
async def test_a_mistake_of_the_caller_is_no_reason_to_ask_others(
    session: Pool, error: GatewayError
) -> None:
    second = entry("two", 8)
    with pytest.raises(type(error)):
        await counted(session, entry("one", error), second)
    assert seen(second) == []


async def test_a_model_that_nobody_has_is_not_counted(session: Pool) -> None:
    with pytest.raises(ModelNotFoundError):
        await counted(session, entry("one", 7), request=asked("huge"))


async def test_secrets_are_hidden(session: Pool) -> None:
    failing = entry("one", UpstreamError("the key sk-1 is wrong"), api_keys=("sk-1",))
    with pytest.raises(UpstreamError) as raised:
        await counted(session, failing)
    assert raised.value.message == "the key *** is wrong"


async def test_who_raises_or_counts_no_numbers_has_failed(
    session: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UpstreamError, match="one failed with ZeroDivisionError"):
        await counted(session, entry("one", ZeroDivisionError()))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    for odd in ("7", True, 7.5j):
        with pytest.raises(UpstreamError, match="not in numbers"):
            await counted(session, entry("one", odd))


async def test_who_takes_too_long_has_failed(
    session: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "TIMEOUT", 0.05)
    with pytest.raises(UpstreamTimeoutError, match=r"one counted no tokens within 0\.05 s"):
        await counted(session, entry("one", 30.0))


async def test_a_failure_to_count_says_nothing_about_answers(session: Pool) -> None:
    one = entry("one", OverloadedError("busy"))
    gateway = Gateway(QUIET, Registry.of(one, settings=QUIET), session)
    for _ in range(20):
        with pytest.raises(OverloadedError, match="busy"):
            await count_tokens(asked(), gateway.now, gateway.desk)
    assert gateway.health.standing("one", "large").wait() == 0
