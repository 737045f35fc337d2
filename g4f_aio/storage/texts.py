"""Texts that come from outside and go into the database."""

from __future__ import annotations

#: the longest name that is kept, in bytes; an index of PostgreSQL takes little more
LONGEST = 1024


def storable(*names: str) -> bool:
    """Whether names can be kept at all; one that cannot is not there either."""
    return all(map(_is_storable, names))


def _is_storable(name: str) -> bool:
    if "\0" in name:  # PostgreSQL's texts have none
        return False
    try:
        return len(name.encode()) <= LONGEST
    except UnicodeEncodeError:  # half a character
        return False
