"""Where a value is in the JSON of a request, so that an error can name its field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

_Key = str | int


def written(keys: Iterable[_Key]) -> str:
    """A path as it follows the ``$`` of the whole: ``.messages[0]``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)


def path_of(within: Any, wanted: Callable[[Any], bool]) -> str | None:
    """The path of the first value that is *wanted*, as in ``messages[0].content``; None: there is none.

    It may be as deep as it likes.
    """
    keys: list[_Key] = []
    rest = [_items(within)]
    while rest:
        for key, value in rest[-1]:
            if wanted(value):
                return written([*keys, key]).removeprefix(".")
            if isinstance(value, (dict, list)):
                keys.append(key)
                rest.append(_items(value))
                break
        else:
            rest.pop()
            del keys[-1:]
    return None


def _items(value: Any) -> Iterator[tuple[_Key, Any]]:
    match value:
        case dict():
            return iter(value.items())
        case list():
            return enumerate(value)
        case _:
            return iter(())
