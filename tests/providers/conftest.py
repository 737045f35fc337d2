"""Connections behave the same on both event loops."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping

import pytest
import trustme
import uvloop

from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client

LOOPS: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
#: the tests that run on both
ON_BOTH = {
    "test_dialer",
    "test_pool",
    "test_response",
    "test_transport",
    "test_upstream",
    "test_upstream_wire",
}


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which event loops a test runs on."""
    return LOOPS if item.path.stem in ON_BOTH else {"asyncio": LOOPS["asyncio"]}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates of our servers."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server that is ``localhost``, and says so with a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A client that trusts our certificates."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def client(session: Pool) -> Client:
    """A client with time enough."""
    return Client(session, "acme", 5.0, 5.0, 2**20)
