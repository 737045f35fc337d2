"""What goes wrong with a database, as errors that clients may see."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..core.errors import GatewayError

#: seconds after which clients may ask again
PAUSE = 5.0
#: SQLite's codes for what is no mistake of a statement
_SQLITE = frozenset(
    (
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOTADB,
    )
)
#: PostgreSQL's classes of such: connection, authorisation, no such database, resources, shutdown,
#: system; and a server that only reads
_POSTGRESQL = ("08", "28", "3D", "53", "57", "58", "25006", "42501")
_FULL = "53100"
#: a deadlock, another transaction that came first, and one that made the same row
_COLLISION = ("40", "23505")


def reason(error: Exception) -> str | None:
    """What keeps the database from working; None for an error that is a bug of ours.

    It is for the log: it may tell of paths and addresses.
    """
    match error:
        case DBAPIError(orig=cause, connection_invalidated=True):
            return str(cause)
        case DBAPIError(orig=sqlite3.Error() as cause):
            return str(cause) if _code(cause) in _SQLITE else None
        case DBAPIError(orig=cause):
            return str(cause) if _state(cause).startswith(_POSTGRESQL) else None
        case SQLAlchemyError():
            return None
        case TimeoutError():
            return "it does not answer"
        case OSError():
            return error.strerror or str(error)
        case _:
            return None


def unavailable(error: Exception) -> GatewayError:
    """The same for clients: 507 when there is no room left, else 503."""
    if _is_full(error):
        return GatewayError(
            "There is no room left to keep anything; what needs no keeping still works",
            status=507,
            code="storage_full",
            retry_after=PAUSE,
        )
    return GatewayError(
        "The gateway's database cannot be used just now; its log says why",
        status=503,
        code="storage_unavailable",
        retry_after=PAUSE,
    )


def passes(error: Exception) -> bool:
    """Whether the same transaction may well succeed at once."""
    match error:
        case DBAPIError(connection_invalidated=True):
            return True
        case DBAPIError(orig=cause):
            return _state(cause).startswith(_COLLISION)
        case _:
            return False


def _is_full(error: Exception) -> bool:
    match error:
        case DBAPIError(orig=sqlite3.Error() as cause):
            return _code(cause) == sqlite3.SQLITE_FULL
        case DBAPIError(orig=cause):
            return _state(cause) == _FULL
        case OSError(errno=number):
            return number in (errno.ENOSPC, errno.EDQUOT)
        case _:
            return False


def _code(error: sqlite3.Error) -> int:
    """SQLite's own code; 0 for what the driver says itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _state(error: object) -> str:
    """PostgreSQL's own code; empty for what the driver says itself."""
    return getattr(error, "sqlstate", None) or ""
