"""The databases that the same tests run over: SQLite in memory and in a file, and PostgreSQL."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import attrs
import pytest

from g4f_aio.core.stores import Stores
from g4f_aio.storage.address import Address
from g4f_aio.storage.limits import Keeping, Limits
from g4f_aio.storage.storage import DatabaseStorage

SERVER = "postgresql://postgres@127.0.0.1:5432"
#: no test comes near them
GENEROUS = Keeping(10**9, 10**6, 10**9)
KINDS = ("memory", "file", "postgresql")


@attrs.define
class Clock:
    """Time that passes when a test says so; Unix time in seconds."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def _tell(url: str, command: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)  # type: ignore[no-untyped-call]
    try:
        await connection.execute(command)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a database of this run; skips where no server answers."""
    name = f"g4f_aio_test_{uuid.uuid4().hex}"
    try:
        asyncio.run(_tell(f"{SERVER}/postgres", f"CREATE DATABASE {name}"))
    except OSError:
        pytest.skip("no PostgreSQL answers at 127.0.0.1:5432")
    yield f"{SERVER}/{name}"
    asyncio.run(_tell(f"{SERVER}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def schema(postgresql: str) -> AsyncIterator[str]:
    """The URL of an empty schema in it."""
    name = f"s{uuid.uuid4().hex}"
    await _tell(postgresql, f"CREATE SCHEMA {name}")
    yield f"{postgresql}?search_path={name}&synchronous_commit=off"
    await _tell(postgresql, f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
async def emptied(postgresql: str) -> AsyncIterator[str]:
    """The URL of a database that is empty, but may have its tables already; that is faster."""
    yield f"{postgresql}?synchronous_commit=off"
    await _tell(
        postgresql,
        "DO 'BEGIN DELETE FROM conversations; DELETE FROM responses;"
        " EXCEPTION WHEN undefined_table THEN NULL; END'",
    )


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database."""
    found: str = request.param
    return found


@pytest.fixture
def address(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Address:
    """An empty one of that kind."""
    match kind:
        case "memory":
            return Address()
        case "file":
            return Address(tmp_path / "data" / "test.sqlite3")
        case _:
            return Address(url=request.getfixturevalue("emptied"))


@pytest.fixture(params=KINDS[1:])
def lasting(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """An empty one that outlives its process."""
    if request.param == "file":
        return Address(tmp_path / "data" / "test.sqlite3")
    return Address(url=request.getfixturevalue("emptied"))


@pytest.fixture
def clock() -> Clock:
    """The time of a test."""
    return Clock()


Begin = Callable[..., Awaitable[DatabaseStorage]]


@pytest.fixture
async def begin(clock: Clock) -> AsyncIterator[Begin]:
    """Start storages that end with the test: ``begin(address, conversations=…, responses=…)``."""
    async with AsyncExitStack() as stack:

        async def start(
            address: Address,
            conversations: Keeping = GENEROUS,
            responses: Keeping = GENEROUS,
        ) -> DatabaseStorage:
            storage = DatabaseStorage(address, Limits(conversations, responses), clock)
            await stack.enter_async_context(storage.running())
            return storage

        yield start


@pytest.fixture
async def stores(begin: Begin, address: Address) -> Stores:
    """Open stores with generous limits."""
    return await (await begin(address)).open()
