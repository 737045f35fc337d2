"""Where the database is: the URL of the settings, read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import attrs

#: the name of the file in the data directory
FILE = "g4f_aio.sqlite3"
_SQLITE = "sqlite://"
_POSTGRESQL = ("postgresql", "postgres")
_DRIVER = "asyncpg"


@attrs.frozen
class Address:
    """A file of SQLite, or the URL of a PostgreSQL server; neither: SQLite in memory."""

    file: Path | None = None
    url: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def of(cls, database: str | None, data_dir: Path | None) -> Address:
        """That of a setting; unset, it is a file in the data directory.

        Relative paths begin there, too. Without a directory there is no file but a named one.
        """
        if database is None:
            return cls(None if data_dir is None else data_dir / FILE)
        if not database.startswith(_SQLITE):
            return cls(url=database)
        name = database.removeprefix(_SQLITE).removeprefix("/")
        if name in ("", ":memory:"):
            return cls()
        return cls((data_dir or Path()) / name)

    @property
    def in_memory(self) -> bool:
        """Whether it ends with the process."""
        return self.file is None and self.url is None

    def lacking(self) -> str | None:
        """What has to be installed for it, in a sentence; None when nothing."""
        if self.url is None or find_spec(_DRIVER) is not None:
            return None
        return f"PostgreSQL needs {_DRIVER}: pip install g4f_aio[postgres]"

    def __str__(self) -> str:
        """It without user and password."""
        if self.url is not None:
            return f"PostgreSQL at {urlsplit(self.url).netloc.rpartition('@')[2]}"
        return "memory" if self.file is None else str(self.file)


def problem(database: str) -> str | None:
    """What is wrong with such a setting, or None."""
    if database.startswith(_SQLITE):
        rest = database.removeprefix(_SQLITE)
        if rest and not rest.startswith("/"):
            return "a file is written sqlite:///file.sqlite3, or sqlite:////with/its/whole/path"
        return None
    try:
        parts = urlsplit(database)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in _POSTGRESQL and "://" in database:
        return None
    return "must be sqlite:// (in memory), sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
