"""What goes wrong with a database."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from g4f_aio.storage.failures import passes, reason, unavailable


def sqlite(code: int, said: str = "it said so") -> DBAPIError:
    cause = sqlite3.OperationalError(said)
    cause.sqlite_errorcode = code
    return DBAPIError("SELECT 1", {}, cause)


class RefusalError(Exception):
    """As PostgreSQL's driver has it."""

    def __init__(self, state: str | None) -> None:
        super().__init__("it said so")
        self.sqlstate = state


def postgresql(state: str | None, *, lost: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, RefusalError(state), connection_invalidated=lost)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (sqlite(sqlite3.SQLITE_FULL), 507),
        (sqlite(sqlite3.SQLITE_IOERR_WRITE), 503),
        (sqlite(sqlite3.SQLITE_BUSY), 503),
        (postgresql("53100"), 507),
        (postgresql("53300"), 503),
        (postgresql("57P01"), 503),
        (postgresql(None, lost=True), 503),
        (OSError(errno.ENOSPC, "it said so"), 507),
        (ConnectionRefusedError(errno.ECONNREFUSED, "it said so"), 503),
        (ConnectionError("it said so"), 503),
    ],
)
def test_what_is_no_fault_of_ours(error: Exception, status: int) -> None:
    assert reason(error) == "it said so"
    answer = unavailable(error)
    assert answer.status == status
    assert answer.retry_after
    assert "it said so" not in answer.message


def test_silence_is_a_failure() -> None:
    assert reason(TimeoutError()) == "it does not answer"
    assert unavailable(TimeoutError()).status == 503


@pytest.mark.parametrize(
    "error",
    [
        sqlite(sqlite3.SQLITE_ERROR),
        sqlite(0),
        postgresql("42601"),
        IntegrityError("", {}, RefusalError("23503")),
        ArgumentError("no"),
        KeyError("no"),
    ],
)
def test_what_is_a_bug(error: Exception) -> None:
    assert reason(error) is None
    assert not passes(error)


@pytest.mark.parametrize(
    "error", [postgresql("40P01"), postgresql("23505"), postgresql(None, lost=True)]
)
def test_what_may_succeed_at_once(error: Exception) -> None:
    assert passes(error)
