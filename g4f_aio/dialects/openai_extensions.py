"""What this gateway adds to the requests of OpenAI's smaller APIs."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs
import cattrs

from ..core.errors import BadRequestError
from ..core.requests import NO_ROUTING, Routing
from .structure import bad_request, register, strict_converter, wrong_type

W = TypeVar("W")


@attrs.frozen(kw_only=True)
class Extended:
    """The fields of this gateway, which no upstream gets to see.

    An object as ``provider`` is OpenRouter's, and goes upstream.
    """

    model: str | None = None
    provider: str | dict[str, Any] | None = None
    api_key: str | dict[str, str] | None = None
    proxy: str | None = None
    timeout: float | None = None


_NAMES = frozenset(("provider", "api_key", "proxy", "timeout"))


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


def structured(raw: dict[str, Any], shape: type[W], exact: cattrs.Converter) -> W:
    """The typed fields of a request; BadRequestError with the JSON path of each wrong one."""
    try:
        return exact.structure(raw, shape)
    except Exception as error:  # noqa: BLE001  (described in full, never swallowed)
        raise bad_request(error) from None


def routing_of(wire: Extended) -> Routing:
    """The caller's say in where the request goes."""
    if wire.timeout is not None and wire.timeout <= 0:
        raise BadRequestError("$.timeout: must be more than 0 seconds", param="timeout")
    if not any((wire.provider, wire.api_key, wire.proxy, wire.timeout)):
        return NO_ROUTING
    keys = wire.api_key or {}
    return Routing(
        provider=wire.provider if isinstance(wire.provider, str) and wire.provider else None,
        api_keys={"": keys} if isinstance(keys, str) else keys,
        proxy=wire.proxy or None,
        timeout=wire.timeout,
    )


def without_extensions(raw: dict[str, Any]) -> dict[str, Any]:
    """What of a request is for an upstream."""
    if _NAMES.isdisjoint(raw):
        return raw
    kept = {key: value for key, value in raw.items() if key not in _NAMES}
    if type(raw.get("provider")) is dict:
        kept["provider"] = raw["provider"]
    return kept
