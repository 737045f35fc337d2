"""What this gateway adds to the requests of OpenAI's APIs."""

from __future__ import annotations

from typing import Any, Protocol

import attrs
import cattrs

from ..core.errors import BadRequestError
from ..core.requests import NO_ROUTING, Routing
from .structure import register, strict_converter, wrong_type
from .web_search import web_search_of


@attrs.frozen(kw_only=True)
class Extended:
    """The fields of this gateway in requests of the smaller APIs, which no upstream gets to see.

    An object as ``provider`` is OpenRouter's, and goes upstream.
    """

    model: str | None = None
    provider: str | dict[str, Any] | None = None
    api_key: str | dict[str, str] | None = None
    proxy: str | None = None
    timeout: float | None = None


class ExtendedChat(Protocol):
    """Those in requests for a chat."""

    provider: str | dict[str, Any] | None
    api_key: str | dict[str, str] | None
    proxy: str | None
    timeout: float | None
    conversation_id: str | None
    cache: bool | None
    emulate: bool | None
    web_search: bool | str | None


_NAMES = frozenset(("provider", "api_key", "proxy", "timeout"))
#: the names of those of a chat
OF_CHATS = _NAMES | {"conversation_id", "cache", "emulate", "web_search"}


def converter() -> cattrs.Converter:
    """For requests with these fields; its errors have their JSON paths."""
    made = strict_converter()

    def text_or(name: str, kind: type, target: Any) -> Any:
        def hook(value: Any, _: Any) -> Any:
            if value is None or type(value) is str:
                return value
            if type(value) is kind:
                return made.structure(value, target)
            raise wrong_type(name, value)

        return hook

    def strings(value: Any, _: Any) -> dict[str, str]:
        for one in value.values():
            if type(one) is not str:
                raise wrong_type("an object of strings", one)
        found: dict[str, str] = value
        return found

    register(made, dict[str, str], strings)
    register(
        made, str | dict[str, Any] | None, text_or("a string or an object", dict, dict[str, Any])
    )
    register(
        made,
        str | dict[str, str] | None,
        text_or("a string or an object of strings", dict, dict[str, str]),
    )
    register(
        made,
        str | list[str] | None,
        text_or("a string or an array of strings", list, list[str]),
    )
    return made


def routing_of(wire: Extended) -> Routing:
    """The caller's say in where the request goes."""
    _check_timeout(wire.timeout)
    if not any((wire.provider, wire.api_key, wire.proxy, wire.timeout)):
        return NO_ROUTING
    keys = wire.api_key or {}
    return Routing(
        provider=wire.provider if isinstance(wire.provider, str) and wire.provider else None,
        api_keys={"": keys} if isinstance(keys, str) else keys,
        proxy=wire.proxy or None,
        timeout=wire.timeout,
    )


def chat_routing_of(wire: ExtendedChat) -> Routing:
    """The same of a chat, and how it is answered."""
    _check_timeout(wire.timeout)
    asked = (wire.provider, wire.conversation_id, wire.api_key, wire.proxy, wire.timeout)
    searched = web_search_of(wire.web_search) if wire.web_search else False
    if not (any(asked) or searched) and wire.cache is None and wire.emulate is None:
        return NO_ROUTING
    keys = wire.api_key or {}
    return Routing(
        provider=wire.provider if isinstance(wire.provider, str) and wire.provider else None,
        conversation_id=wire.conversation_id or None,
        api_keys={"": keys} if isinstance(keys, str) else keys,
        proxy=wire.proxy or None,
        timeout=wire.timeout,
        cache=wire.cache,
        emulate=wire.emulate,
        web_search=searched,
    )


def _check_timeout(seconds: float | None) -> None:
    if seconds is not None and seconds <= 0:
        raise BadRequestError("$.timeout: must be more than 0 seconds", param="timeout")


def without_extensions(raw: dict[str, Any], names: frozenset[str] = _NAMES) -> dict[str, Any]:
    """What of a request is for an upstream; *names* are those of the fields that are not."""
    if names.isdisjoint(raw):
        return raw
    kept = {key: value for key, value in raw.items() if key not in names}
    if type(raw.get("provider")) is dict:
        kept["provider"] = raw["provider"]
    return kept
