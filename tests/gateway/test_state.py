"""The keepers of what is learned of providers may be exchanged."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from g4f_aio import GatewayError, OverloadedError, RateLimitError, UpstreamError
from g4f_aio.gateway.breaker import IN_A_ROW
from g4f_aio.gateway.credentials import Credential, CredentialBook
from g4f_aio.gateway.health import Health, HealthBook, Standing
from g4f_aio.gateway.registry import Entry
from g4f_aio.settings import RoutingSettings
from tests.gateway.actors import Theatre, keys, says, stage

BROKEN = UpstreamError("it broke", provider="a")


class Sharing:
    """Has a book in common with others, and nothing else."""

    def __init__(self, book: HealthBook) -> None:
        self._book = book

    def of(self, provider: str, *, local: bool = False) -> Health:
        return self._book.of(provider, local=local)

    def standing(self, provider: str, model: str, *, local: bool = False) -> Standing:
        return self._book.standing(provider, model, local=local)

    def standings(self) -> dict[tuple[str, str], Standing]:
        return self._book.standings()


class SharingKeys:
    """The same for keys."""

    def __init__(self, book: CredentialBook) -> None:
        self._book = book

    def of(self, entry: Entry) -> tuple[Credential, ...]:
        return self._book.of(entry)

    def keep(self, held: Mapping[str, tuple[str | None, ...]]) -> None:
        self._book.keep(held)

    def wait(self, entry: Entry, model: str) -> float:
        return self._book.wait(entry, model)

    def any(self, entry: Entry) -> str | None:
        return self._book.any(entry)

    def take(self, entry: Entry, model: str) -> Credential:
        return self._book.take(entry, model)

    def failed(self, credential: Credential, model: str, error: GatewayError) -> None:
        self._book.failed(credential, model, error)


def theatre(health: HealthBook, credentials: CredentialBook, failure: GatewayError) -> Theatre:
    """One of several gateways that know the same."""
    play = Theatre(
        stage((failure,)),
        stage(says("Hello")),
        routing=RoutingSettings(retries=0),
        providers={"a": {"api_keys": keys("k1")}},
    )
    play.desk.health = Sharing(health)
    play.desk.credentials = SharingKeys(credentials)
    return play


async def test_what_one_gateway_learns_another_one_knows() -> None:
    health, credentials = HealthBook(), CredentialBook()
    first, second = (theatre(health, credentials, BROKEN) for _ in range(2))
    assert await first.text() == "Hello"
    assert await second.text() == "Hello"
    assert (first.calls, second.calls) == ([1, 1], [0, 1]), "it failed just now"
    for _ in range(IN_A_ROW - 1):
        standing = health.standing("a", "m")
        standing.failed(BROKEN, standing.begin())
    for _ in range(IN_A_ROW):
        standing = health.standing("b", "m")
        standing.failed(BROKEN, standing.begin())
    for play in (first, second):
        with pytest.raises(OverloadedError):
            await play.ask()


async def test_so_it_is_with_keys_at_rest() -> None:
    health, credentials = HealthBook(), CredentialBook()
    limit = RateLimitError("slow down", retry_after=60.0, provider="a")
    first, second = (theatre(health, credentials, limit) for _ in range(2))
    assert [await play.text() for play in (first, second)] == ["Hello"] * 2
    assert (first.calls, second.calls) == ([1, 1], [0, 1])
