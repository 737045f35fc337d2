"""Tokens counted by a real tokenizer, where one is installed."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Protocol, cast

from ..core.request_tokens import prompt_of
from ..core.requests import ChatRequest

#: the package in ``plugins/tokens``: its ``Tokenizer()`` counts
MODULE = "g4f_aio_tokens"
#: characters of all texts together that are still worth the time: about a second
LARGEST = 16 * 2**20
#: the most models that are remembered for reporting no usage
REMEMBERED = 1000
_log = logging.getLogger(__name__)


class Tokenizer(Protocol):
    """What such a package offers."""

    def count(self, texts: Iterable[str], model: str) -> int:
        """How many tokens *texts* have together for *model*. It may block."""


class TokenCounter:
    """Counts with the tokenizer of *module*; None, or one that is not installed, counts nothing.

    It is imported when there is first something to count, in a thread, as is all that it does.
    """

    def __init__(self, module: str | None = None) -> None:
        self._module = module or ""
        self._tokenizer: Tokenizer | None = None
        self._lock = asyncio.Lock()
        self._silent: set[tuple[str, str]] = set()
        #: whether it can count
        self.able = module is not None and find_spec(module) is not None

    async def count(self, texts: Sequence[str], model: str) -> int | None:
        """How many tokens *texts* have together for *model*; None where an estimate must do."""
        if not self.able or sum(map(len, texts)) > LARGEST:
            return None
        try:
            async with self._lock:  # whatever is counted, other threads stay free
                return await asyncio.to_thread(self._count, texts, model)
        except Exception:  # noqa: BLE001  (whatever it is, an estimate is there)
            self.able = False
            _log.exception("%s cannot count tokens; they are estimated from now on", self._module)
            return None

    async def prompt(self, request: ChatRequest, model: str) -> int | None:
        """How many tokens *model* reads for a request; None where an estimate must do."""
        if not self.able:
            return None
        prompt = prompt_of(request)
        counted = await self.count(prompt.texts, model)
        return None if counted is None else counted + prompt.tokens

    def is_silent(self, provider: str, model: str) -> bool:
        """Whether that model of a provider was seen to report no usage."""
        return (provider, model) in self._silent

    def remember(self, provider: str, model: str, *, silent: bool) -> None:
        """Whether that model of a provider reported usage just now."""
        if not silent:
            self._silent.discard((provider, model))
        elif len(self._silent) < REMEMBERED:
            self._silent.add((provider, model))

    def _count(self, texts: Sequence[str], model: str) -> int:
        if self._tokenizer is None:
            # it is not for everybody, and large
            self._tokenizer = cast(Tokenizer, importlib.import_module(self._module).Tokenizer())
        return self._tokenizer.count(texts, model)
