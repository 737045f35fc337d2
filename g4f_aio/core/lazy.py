"""Modules that are imported when something in them is used first."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LazyModule:
    """Stands for a module that few need, and imports it with the first look at what is in it.

    A name that begins with dots starts from *package*. Type checkers read an ordinary import instead,
    under ``if TYPE_CHECKING``. An import holds up whoever waits for it: what takes long to import is
    for a thread.
    """

    __slots__ = ("_module", "_name", "_package")

    def __init__(self, name: str, package: str | None = None) -> None:
        self._name = name
        self._package = package
        self._module: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._module is None:
            self._module = import_module(self._name, self._package)
        return getattr(self._module, name)
