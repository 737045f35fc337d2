"""What a call may use under one state of the settings."""

from __future__ import annotations

from typing import Any, cast

import attrs
import pytest

from g4f_aio import ChatRequest, Provider, Routing, Timeouts
from g4f_aio.core.provider import CallContext
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.gateway.facts import GatewayFacts
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.gateway.snapshot import Snapshot
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from g4f_aio.settings import Settings, UpstreamSettings
from g4f_aio.settings.secret import SecretStr
from tests.server.fakes import OptionallyKeyed, Script
from tests.server.fakes import entry as made


def entry(provider: Provider | None = None, **settings: Any) -> Entry:
    """A provider with these settings."""
    return made(provider or OptionallyKeyed(), "work", **settings)


@pytest.fixture
def snapshot(session: Pool) -> Snapshot:
    """Settings in which only the upstream is spoken of."""
    settings = Settings(
        upstream=UpstreamSettings(
            connect_timeout=1,
            headers_timeout=2,
            first_token_timeout=3,
            stream_timeout=4,
            timeout=5,
            max_event=1000,
            proxy=SecretStr("http://proxy:1"),
        )
    )
    registry = Registry.of(settings=settings)

    async def fetch(_: Entry) -> tuple[()]:
        return ()

    catalog = Catalog(settings, registry, fetch)
    return Snapshot(settings, registry, catalog, GatewayFacts(settings, catalog, "1"), session)


def client(context: CallContext) -> Client:
    """The way out that a call gets."""
    return cast(Client, context.http)


def test_the_times_are_those_of_the_provider_else_those_for_all(snapshot: Snapshot) -> None:
    assert snapshot.context(entry()).timeouts == Timeouts(1, 2, 3, 4, 5)
    own = snapshot.context(entry(connect_timeout=0.1, stream_timeout=0.4))
    assert own.timeouts == Timeouts(0.1, 2, 3, 0.4, 5)
    other = snapshot.context(entry(headers_timeout=0.2, first_token_timeout=0.3, timeout=0.5))
    assert other.timeouts == Timeouts(1, 0.2, 0.3, 4, 0.5)


@pytest.mark.parametrize(("wanted", "total"), [(2.0, 2.0), (5.0, 5.0), (60.0, 5.0)])
def test_a_caller_may_want_it_sooner_but_not_later(
    snapshot: Snapshot, wanted: float, total: float
) -> None:
    context = snapshot.context(entry(), routing=Routing(timeout=wanted), streamed=True)
    assert context.timeouts == Timeouts(1, 2, 3, 4, total)


def test_an_answer_in_one_piece_may_take_the_whole_time_to_begin(snapshot: Snapshot) -> None:
    assert client(snapshot.context(entry(), streamed=True)).headers_timeout == 2
    assert client(snapshot.context(entry(), streamed=False)).headers_timeout == 5
    hasty = snapshot.context(entry(), routing=Routing(timeout=0.5), streamed=False)
    assert client(hasty).headers_timeout == 0.5


def test_the_way_out_is_that_of_the_settings_or_of_the_caller(snapshot: Snapshot) -> None:
    plain = client(snapshot.context(entry()))
    assert plain.session is snapshot.session
    assert (plain.provider, plain.connect_timeout, plain.max_event) == ("work", 1, 1000)
    assert plain.proxy == "http://proxy:1"
    routing = Routing(proxy="http://mine:2")
    assert client(snapshot.context(entry(), routing=routing)).proxy == "http://mine:2"


def test_a_key_goes_only_where_keys_are_taken(snapshot: Snapshot) -> None:
    context = snapshot.context(entry(), credential="k")
    assert (context.credential, context.own_credential) == ("k", False)
    context = snapshot.context(entry(), credential="mine", own=True)
    assert (context.credential, context.own_credential) == ("mine", True)
    assert snapshot.context(entry(Script()), credential="k").credential is None
    assert context.facts is snapshot.facts


def test_the_same_is_not_made_twice(snapshot: Snapshot) -> None:
    one = entry()
    context = snapshot.context(one, credential="k")
    assert snapshot.context(one, credential="k") is context
    for other in (
        snapshot.context(one, credential="l"),
        snapshot.context(one, credential="k", streamed=True),
        snapshot.context(one, credential="k", routing=Routing(timeout=1)),
        snapshot.context(one, credential="k", routing=Routing(proxy="http://mine:2")),
        snapshot.context(one, credential="k", own=True),
    ):
        assert other is not context
    assert snapshot.context(one, credential="k") is context


def test_what_a_caller_brings_is_never_kept_for_others(snapshot: Snapshot) -> None:
    one = entry()
    snapshot.context(one, credential="mine", own=True)
    snapshot.context(one, credential="k", routing=Routing(proxy="http://mine:2"))
    context = snapshot.context(one, credential="k")
    assert (context.credential, context.own_credential) == ("k", False)
    assert client(context).proxy == "http://proxy:1"
    assert not snapshot.context(one, credential="mine").own_credential


def test_who_takes_the_place_of_another_has_his_own(snapshot: Snapshot) -> None:
    before = snapshot.context(entry(timeout=1))
    assert snapshot.context(entry(timeout=2)).timeouts.total == 2
    assert before.timeouts.total == 1


def test_one_that_was_made_before_is_found_at_once(snapshot: Snapshot) -> None:
    one = entry()
    request = ChatRequest("m", (), stream=True)
    assert snapshot.known_context(one, request, "k") is None
    context = snapshot.context(one, credential="k", streamed=True)
    assert snapshot.known_context(one, request, "k") is context
    assert snapshot.known_context(one, attrs.evolve(request, routing=Routing()), "k") is context
    assert snapshot.known_context(one, attrs.evolve(request, stream=False), "k") is None
    assert snapshot.known_context(one, request, "l") is None
    assert snapshot.known_context(entry(), request, "k") is None
    for special in (Routing(timeout=1), Routing(proxy="http://mine:2")):
        assert snapshot.known_context(one, attrs.evolve(request, routing=special), "k") is None


def test_neither_a_key_nor_what_has_one_shows(snapshot: Snapshot) -> None:
    context = snapshot.context(entry(), credential="secret-key")
    assert "secret-key" not in repr(context)
    assert "secret-key" not in repr(snapshot)
