"""Who may answer a request, and whether he can."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..core.errors import ProviderNotFoundError, UnsupportedError, UpstreamAuthError, UpstreamError
from ..core.models import Capability
from .registry import Entry, same

#: a caller's own credentials by provider's name; the name ``""`` fits any
Keys = Mapping[str, str]


@attrs.frozen
class Candidate:
    """A provider that may answer, and what it calls the model.

    *own_key* is the caller's credential for it, where he brought one.
    """

    entry: Entry
    model: str
    own_key: str | None = attrs.field(default=None, repr=False)


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


def capable(found: list[Candidate], needs: Capability) -> list[Candidate]:
    """Those who can supply what the request asks for; UnsupportedError names what nobody can."""
    able = [one for one in found if needs in one.entry.capabilities]
    if able:
        return able
    lacking = needs
    for one in found:
        lacking &= ~one.entry.capabilities
    names = ", ".join((lacking or needs & ~found[0].entry.capabilities).names)
    who = ", ".join(one.entry.name for one in found)
    raise UnsupportedError(f"{who} cannot supply: {names}", param=_PARAMS.get(names))


_PARAMS = {
    "tools": "tools",
    "json_object": "response_format",
    "json_schema": "response_format",
    "vision": "messages",
    "audio_input": "messages",
    "files": "messages",
    "audio_output": "modalities",
    "several_choices": "n",
    "logprobs": "logprobs",
}
