"""Whose code the event loop is at: a provider's, or nobody's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

import attrs

from ..core.provider import Provider

_OURS = __name__.partition(".")[0]
#: whoever calls these and waits does not answer for what they do
_NOBODYS = frozenset((_OURS, "aiohttp"))
_IMPORTS = "<frozen importlib."
#: lines of a stack that are told of, at most
_LINES = 6


@attrs.frozen(eq=False)
class Step:
    """What the loop was at when it was looked at.

    *provider* is None when the code is nobody's. *frame* is the provider's outermost one and tells
    one step from another of the same code. *trace* has files, lines and functions; it is empty when
    the loop was at rest.
    """

    provider: str | None
    frame: FrameType | None
    importing: bool
    trace: str


class Suspects:
    """Loaded providers by name; what code is theirs.

    A provider's code is a method that is bound to it, and what lies in the package (or the module)
    that its class comes from. Where several come from one package, or where the package is this
    program, only the method tells who it is.
    """

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers
        self._names = {id(provider): name for name, provider in providers.items()}
        self._places: dict[str, list[str]] = {}
        #: our modules whose functions may be at work for a provider
        self._shared: set[str] = set()
        for name, provider in providers.items():
            for cls in type(provider).__mro__:
                if cls.__module__.startswith(f"{_OURS}.providers."):
                    self._shared.add(cls.__module__)
            place = _place(type(provider))
            if place is not None:
                self._places.setdefault(place, []).append(name)

    def step(self, stack: Sequence[FrameType]) -> Step:
        """Who is at work in *stack*, the deepest frame first."""
        name = self._culprit(stack)
        if name is None:
            return Step(None, None, importing=False, trace=_trace(stack[:_LINES]))
        inner = stack[: self._outermost(stack, name) + 1]
        importing = any(frame.f_code.co_filename.startswith(_IMPORTS) for frame in inner)
        return Step(name, inner[-1], importing, _trace(inner))

    def _culprit(self, stack: Sequence[FrameType]) -> str | None:
        for frame in stack:
            name = self._bound_to(frame)
            if name is not None:
                return name
            if len(names := self._around(frame)) == 1:
                return names[0]
            module = str(frame.f_globals.get("__name__"))
            if module.partition(".")[0] in _NOBODYS and module not in self._shared:
                return None
        return None

    def _outermost(self, stack: Sequence[FrameType], name: str) -> int:
        """Where the provider's outermost frame is."""
        return max(
            at
            for at, frame in enumerate(stack)
            if self._bound_to(frame) == name or self._around(frame) == [name]
        )

    def _bound_to(self, frame: FrameType) -> str | None:
        """The provider whose method it is."""
        code = frame.f_code
        if not code.co_argcount or code.co_varnames[0] != "self":
            return None
        return self._names.get(id(frame.f_locals.get("self")))

    def _around(self, frame: FrameType) -> list[str]:
        """The providers in whose package or module the code lies."""
        file = frame.f_code.co_filename
        for place, names in self._places.items():
            if file == place or (place.endswith(os.sep) and file.startswith(place)):
                return names
        return []


def _place(cls: type[Provider]) -> str | None:
    """The folder of the package that a class of somebody else's comes from, or the module's file."""
    parts = cls.__module__.split(".")
    if parts[0] == _OURS:
        return None
    for end in range(1, len(parts) + 1):
        file = getattr(sys.modules.get(".".join(parts[:end])), "__file__", None)
        if file is not None:  # a namespace, which many may share, has none
            path = Path(file)
            return f"{path.parent}{os.sep}" if path.stem == "__init__" else file
    return None


def _trace(stack: Sequence[FrameType]) -> str:
    """The outermost and the deepest of the frames, in the order of the calls."""
    lines = [
        f"{'/'.join(Path(frame.f_code.co_filename).parts[-2:])}:{frame.f_lineno}"
        f" in {frame.f_code.co_name}"
        for frame in reversed(stack)
        if not frame.f_code.co_filename.startswith(_IMPORTS)
    ]
    if len(lines) > _LINES:
        lines[2 : 3 - _LINES] = ["…"]
    return " > ".join(lines)
