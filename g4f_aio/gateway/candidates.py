"""Who may answer a request, and whether he can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from ..core.errors import (
    GatewayError,
    ProviderNotFoundError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
)
from ..core.models import Capability, ModelInfo
from ..core.operations import Request
from .polyfills.plan import CAPTIONED, SUPPLIABLE, asked
from .registry import Entry, same

if TYPE_CHECKING:
    from ..settings.conditions import Condition

#: a caller's own credentials by provider's name; the name ``""`` fits any
Keys = Mapping[str, str]
#: what depends on the program that serves a model, so that lists of models say nothing about it
_OF_THE_SERVER = (
    Capability.STREAM
    | Capability.JSON_OBJECT
    | Capability.JSON_SCHEMA
    | Capability.LOGPROBS
    | Capability.SEVERAL_CHOICES
)

#: what requests may name by URL
MEDIA = Capability.VISION | Capability.AUDIO_INPUT | Capability.FILES
#: what a list of models is right about: other models than those for chats can do it
_SURE = Capability.EMBEDDINGS | Capability.MODERATIONS


@attrs.frozen
class Candidate:
    """A provider that may answer, and what it calls the model.

    *own_key* is the caller's credential for it, where he brought one. *automatic*: nobody named it,
    so how it has been doing may say when it is asked. *when* is the condition under which it is asked
    at all. *info* is what its list says about the model. *supplied* is what it lacks and the gateway
    supplies. *media* are the kinds of media in the request, all or some of which may be URLs.
    """

    entry: Entry
    model: str
    own_key: str | None = attrs.field(default=None, repr=False)
    automatic: bool = False
    when: Condition | None = None
    info: ModelInfo | None = None
    supplied: Capability = Capability.NONE
    media: Capability = Capability.NONE
    #: the parameters that its provider cannot take
    ignores: frozenset[str] = attrs.field(init=False, eq=False, repr=False)

    @property
    def capabilities(self) -> Capability:
        """What it can do, as far as is known: a model's own flags go before its provider's."""
        return capabilities_of(self.entry, self.info)

    @ignores.default
    def _ignores(self) -> frozenset[str]:
        return self.entry.provider.ignores if self.entry.provider is not None else frozenset()

    @property
    def follows_instructions(self) -> bool:
        """Whether it is a model of language, as far as is known."""
        known = () if self.entry.provider is None else self.entry.provider.models()
        listed = known if self.info is None else (self.info, *known)
        return not any(info.not_a_language_model for info in listed)


@attrs.frozen
class LeftOut:
    """Somebody who might have answered but is not asked; *error* says why. *model* may be open."""

    provider: str
    model: str
    error: GatewayError


@attrs.frozen
class Found:
    """What a look found: *candidates*, best first, or none and the *error* that says why.

    *rule* says for people which rule chose them. *anybody*: neither the request nor the settings
    say who is to answer. *particular*: some of them do not take every parameter.
    """

    candidates: tuple[Candidate, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    rule: str = ""
    anybody: bool = False
    error: GatewayError | None = None
    particular: bool = False


def capabilities_of(entry: Entry, info: ModelInfo | None) -> Capability:
    """What a model of a provider can do, as far as is known."""
    if info is None or info.capabilities is None:
        return entry.capabilities
    return info.capabilities | entry.capabilities & _OF_THE_SERVER


def key_for(name: str, keys: Keys) -> str | None:
    """The caller's credential for the provider of that name; one without a name fits any."""
    named = (key for given, key in keys.items() if given and same(given, name))
    return next(named, keys.get(""))


def without_unnamed(keys: Keys) -> Keys:
    """The caller's credentials for whoever is only asked when another one fails.

    One without a provider's name is meant for the first, and nobody else gets to see it.
    """
    return {name: key for name, key in keys.items() if name}


def demand_usable(entry: Entry, *, own_key: bool, ignored: bool) -> None:
    """Return when a call of the provider can be tried; otherwise raise the error that says why not.

    *own_key*: the caller brings one. *ignored*: the settings say never to use it.
    """
    if entry.error is not None:
        raise UpstreamError(f"Provider {entry.name} is broken: {entry.error}", provider=entry.name)
    if not entry.settings.enabled:
        raise ProviderNotFoundError(
            f"Provider {entry.name} is switched off in the settings", param="provider"
        )
    if ignored:
        raise ProviderNotFoundError(
            f"Provider {entry.name} is switched off by routing.ignored_providers", param="provider"
        )
    lacks = entry.lacks(own_key=own_key)
    if lacks is not None:
        raise UpstreamAuthError(
            f"Provider {entry.name} is not configured; it needs {lacks}", provider=entry.name
        )


def capable(
    found: Sequence[Candidate],
    needs: Capability,
    *,
    emulate: bool = False,
    captions: bool = False,
) -> list[Candidate]:
    """Those who can supply what the request asks for; UnsupportedError names what nobody can.

    A list of models may be wrong. One that says that a model cannot only keeps it from being asked
    when another candidate can; else its upstream is the judge. *emulate*: what the gateway can supply
    is supplied by it where nobody has everything; *captions*: so is vision, where nobody sees.
    """
    able = [one for one in found if needs in one.capabilities]
    suppliable = SUPPLIABLE | CAPTIONED if captions else SUPPLIABLE
    if emulate and not able:
        able = [
            attrs.evolve(one, supplied=lacking)
            for one in found
            if (lacking := needs & ~one.capabilities) in suppliable and one.follows_instructions
        ]
        able = [one for one in able if not one.supplied & CAPTIONED] or able
    able = able or [one for one in found if needs in _most(one)]
    if able:
        return able
    lacking = needs
    for one in found:
        lacking &= ~_most(one)
    if emulate and any(one.follows_instructions for one in found):
        lacking &= ~suppliable
    names = ", ".join((lacking or needs & ~_most(found[0])).names)
    who = ", ".join(one.entry.name for one in found)
    raise UnsupportedError(f"{who} cannot supply: {names}", param=_PARAMS.get(names))


def showing(found: Sequence[Candidate], needs: Capability) -> tuple[Candidate, ...]:
    """The same ones, who know of the media in a request that *needs* so much."""
    media = needs & MEDIA
    if not media:
        return tuple(found)
    return tuple(attrs.evolve(one, media=media) for one in found)


def taking(found: Sequence[Candidate], request: Request, *, emulate: bool) -> list[Candidate]:
    """Those who take every parameter of *request*, else those for whom the gateway supplies it.

    UnsupportedError when it may not, or cannot.
    """
    able = [one for one in found if not asked(request, one.ignores)]
    if able:
        return able
    if emulate:
        return list(found)
    name = min(asked(request, found[0].ignores))
    param = _PARAMS.get(name, name)
    who = found[0].entry.name
    raise UnsupportedError(f"$.{param}: {who} cannot supply {name}", param=param, provider=who)


def incapable(candidate: Candidate, needs: Capability) -> UnsupportedError:
    """The error that says what a candidate lacks that others, or nobody, can supply."""
    names = ", ".join((needs & ~candidate.capabilities).names)
    return UnsupportedError(
        f"{candidate.model} of {candidate.entry.name} cannot supply: {names}",
        param=_PARAMS.get(names),
    )


def _most(candidate: Candidate) -> Capability:
    """What it may be able to do."""
    known = candidate.info is not None and candidate.info.capabilities is not None
    sure = _SURE if known else Capability.NONE
    return candidate.entry.capabilities & ~sure | candidate.capabilities


_PARAMS = {
    "tools": "tools",
    "json_object": "response_format",
    "json_schema": "response_format",
    "system": "messages",
    "vision": "messages",
    "audio_input": "messages",
    "files": "messages",
    "audio_output": "modalities",
    "several_choices": "n",
    "logprobs": "logprobs",
    "embeddings": "model",
    "moderations": "model",
}
