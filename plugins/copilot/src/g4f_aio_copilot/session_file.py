"""The file with the user's session, read again only when it has changed."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import attrs

from .session import Session, SessionError, parse_export

#: bytes of a file, at most; a HAR has the pages in it, and they can be large
FILE_LIMIT = 32 * 2**20


@attrs.frozen
class _Read:
    """What was read, and the file it was read from."""

    path: Path
    host: str
    changed: int
    size: int
    session: Session


@attrs.define
class SessionFile:
    """Remembers the last file it read. Blocks, so call it in a thread."""

    _last: _Read | None = attrs.field(default=None, init=False, repr=False)

    def load(self, path: Path, host: str) -> Session:
        """The session at *host* in the file; SessionError says why there is none."""
        try:
            path = path.expanduser()
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise SessionError("is no file")
            last = self._last
            state = (path, host, found.st_mtime_ns, found.st_size)
            if last is not None and state == (last.path, last.host, last.changed, last.size):
                return last.session
            with path.open("rb") as file:
                data = file.read(FILE_LIMIT + 1)
        except FileNotFoundError:
            raise SessionError("does not exist") from None
        except (OSError, RuntimeError) as error:
            # RuntimeError: there is no such home directory
            reason = getattr(error, "strerror", None) or "its path names no place"
            raise SessionError(f"cannot be read: {reason}") from None
        if len(data) > FILE_LIMIT:
            raise SessionError(f"has more than {FILE_LIMIT} bytes; export less of it")
        session = parse_export(data, host, time.time())
        self._last = _Read(*state, session)
        return session
