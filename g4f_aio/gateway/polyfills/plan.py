"""Which polyfills a request needs at a provider, and whether there are such."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import attrs

from ...core.lazy import LazyModule
from ...core.models import Capability
from ...core.operations import CompletionRequest, Request
from ...core.requests import ChatRequest
from .choices import single
from .max_tokens import MaxTokens
from .polyfill import Chain, Polyfill
from .schema import Anything, Compiled
from .stop import Stop
from .system import System
from .text import INSTRUCTS
from .vision import NAME as VISION

if TYPE_CHECKING:
    from . import json_answer, tools
else:  # they are imported with the first plan that needs them, in a thread
    json_answer = LazyModule(".json_answer", __package__)
    tools = LazyModule(".tools", __package__)

#: what can be supplied where a model of language lacks it, and its name in ``x-emulated``
SUPPLIED: Mapping[Capability, str] = MappingProxyType(
    {
        Capability.TOOLS: "tools",
        Capability.JSON_OBJECT: "json_object",
        Capability.JSON_SCHEMA: "json_schema",
        Capability.SEVERAL_CHOICES: "n",
    }
)
#: all of them
SUPPLIABLE = Capability.NONE
for _flag in SUPPLIED:
    SUPPLIABLE |= _flag
#: and what takes a model that the settings name for it; ``captions`` supplies it before the call
CAPTIONED = Capability.VISION
_NAMES = {CAPTIONED: VISION, **SUPPLIED}


class Make(Protocol):
    """Makes a polyfill for one try."""

    def __call__(self, *, last: bool) -> Polyfill:
        """The polyfill; *last*: there will be no further try."""


@attrs.frozen
class Plan:
    """How a request is answered at a provider that lacks some of it.

    *names* say what is supplied. *makes* are in the order in which an answer passes through them.
    """

    names: tuple[str, ...]
    request: ChatRequest
    makes: tuple[Make, ...]
    choices: int = 1

    @classmethod
    def of(
        cls,
        request: ChatRequest,
        lacks: Capability,
        can: Capability = Capability.NONE,
        ignored: frozenset[str] = frozenset(),
    ) -> Plan:
        """The plan where a model *lacks* so much, *can* do that, and takes no parameters *ignored*.

        It blocks: make it in a thread. GatewayError for what cannot be supplied or is wrong.
        """
        makes: list[Make] = []
        first = asked(request, ignored)
        sampling = request.sampling
        if "max_tokens" in first and sampling.max_tokens is not None:
            makes.append(partial(MaxTokens, sampling.max_tokens))
        if Capability.TOOLS in lacks:
            makes.append(partial(tools.Tools, request))
        if lacks & (Capability.JSON_OBJECT | Capability.JSON_SCHEMA):
            makes.append(_json(request, can))
        if "stop" in first:
            makes.append(partial(Stop, sampling.stop))
        if "system" in first or ("system" in ignored and makes):
            makes.append(System)
        prepared = single(request) if request.n > 1 else request
        for make in makes:
            prepared = make(last=True).prepare(prepared)
        singly = lacks | Capability.SEVERAL_CHOICES if request.n > 1 else lacks
        return cls(names(request, singly, ignored), prepared, tuple(makes), request.n)

    def chain(self, *, last: bool) -> Chain:
        """New polyfills for one try of one choice."""
        return Chain([make(last=last) for make in self.makes])


def names(request: Request, lacks: Capability, ignored: frozenset[str]) -> tuple[str, ...]:
    """What is supplied, by its names in ``x-emulated``, where a model *lacks* so much."""
    return (*(_NAMES[flag] for flag in lacks), *sorted(asked(request, ignored)))


def _json(request: ChatRequest, can: Capability) -> Make:
    form = request.response_format or {}
    if form.get("type") != "json_schema":
        return partial(json_answer.JsonAnswer, Anything())
    schema = Compiled(json_answer.schema_of(form), "response_format.json_schema.schema")
    return partial(json_answer.JsonAnswer, schema, native=can)


def asked(request: Request, ignored: frozenset[str]) -> frozenset[str]:
    """Which of the parameters *ignored* by a provider a request has."""
    if not isinstance(request, (ChatRequest, CompletionRequest)):
        return frozenset()
    found = set()
    if "stop" in ignored and request.sampling.stop:
        found.add("stop")
    if "max_tokens" in ignored and request.sampling.max_tokens is not None:
        found.add("max_tokens")
    if (
        "system" in ignored
        and isinstance(request, ChatRequest)
        and any(message.role in INSTRUCTS for message in request.messages)
    ):
        found.add("system")
    return frozenset(found)
