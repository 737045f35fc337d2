"""The attrs fields of a provider: whether they can be settings, and keep their secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
from cattrs.errors import StructureHandlerNotFoundError
from yarl import URL

from ..core.provider import Provider
from ..dialects.structure import strict_converter
from ..settings import ProviderSettings

#: what a field that holds a secret is called, in part
SECRET_WORDS = ("key", "token", "secret", "password", "cookie", "headers")
#: what an address is called, or ends in
ADDRESS_WORDS = ("url", "endpoint", "base")
CANARY = "canary-5f0c1d7e"
#: one value of every kind that TOML has
_TOML: tuple[object, ...] = (
    "",
    1,
    1.5,
    True,
    [""],
    [1],
    {},
    {"a": ""},
    {"a": 1},
    [{}],
    datetime.now(UTC),
)


def field_faults(cls: type[Provider]) -> Iterator[str]:
    """What is wrong with the fields of a class, as settings."""
    taken = {field.name for field in attrs.fields(ProviderSettings)} - {"options"}
    try:
        fields = attrs.fields(attrs.resolve_types(cls))
    except Exception as error:  # noqa: BLE001  (an annotation is any expression)
        yield (
            f"its annotations cannot be read at run time ({error}): import what they name"
            " outside of `if TYPE_CHECKING`"
        )
        return
    converter = strict_converter()
    for field in fields:
        if not field.init:
            continue
        name = field.name
        if name in taken:
            yield (
                f"the setting {name} is one that the gateway has for every provider, and never"
                " arrives: rename the field"
            )
        if name.startswith("_"):
            yield f"the field {name} would be a setting: give it init=False, or a name without _"
        if field.default is attrs.NOTHING:
            yield (
                f"the setting {name} has no default, so who has not configured it gets a broken"
                " provider: give it one, and let missing() ask for it"
            )
        if not all(_known(converter, value, field.type) for value in _TOML):
            yield (
                f"the setting {name} is a {_type_name(field.type)}, which no settings file can say:"
                " use str, int, float, bool, a tuple, dict or attrs class of them, or init=False"
            )


def secret_faults(provider: Provider) -> Iterator[str]:
    """Which fields with a secret are in the ``repr`` of a provider, and so in logs."""
    for field in attrs.fields(type(provider)):
        if not (field.init and any(word in field.name.lower() for word in SECRET_WORDS)):
            continue
        value = getattr(provider, field.name)
        canary = _canary_like(value, field.type)
        if canary is None:
            continue
        try:
            shown = repr(attrs.evolve(provider, **{field.alias: canary}))
        except Exception:  # noqa: BLE001  (it may take no such value; then what it says must do)
            shown = CANARY if field.repr is True else ""
        if CANARY in shown and field.repr is False:
            yield (
                f"what is made of the setting {field.name} is shown by repr(), and so in logs:"
                " declare that field with repr=False, too"
            )
        elif CANARY in shown:
            yield (
                f"the setting {field.name} is shown by repr(), and so in logs: declare it with"
                " attrs.field(repr=False); or, if it is the API key, have no such field, set"
                ' key = "required" and take ctx.credential'
            )


def addressed_to(provider: Provider, url: str, given: Collection[str]) -> Provider:
    """The same provider with *url* for the host in its addresses, save for settings *given*.

    An address is a text that is an http URL, or is called so; its path stays.
    """
    changes: dict[str, str] = {}
    for field in attrs.fields(type(provider)):
        value = getattr(provider, field.name)
        if not field.init or field.name in given:
            continue
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            changes[str(field.alias)] = url + URL(value).raw_path_qs.rstrip("/")
        elif not value and field.name.rpartition("_")[2] in ADDRESS_WORDS:
            changes[str(field.alias)] = url
    return attrs.evolve(provider, **changes) if changes else provider


def _known(converter: Any, value: object, shape: Any) -> bool:
    """Whether the converter knows how to make *shape*, though perhaps not of this *value*."""
    try:
        converter.structure(value, shape)
    except Exception as error:  # noqa: BLE001  (cattrs raises whatever the class raises)
        return not _unknown_shape(error)
    return True


def _unknown_shape(error: BaseException) -> bool:
    match error:
        case StructureHandlerNotFoundError():
            return True
        case BaseExceptionGroup():
            return any(map(_unknown_shape, error.exceptions))
        case _:
            return False


def _type_name(shape: Any) -> str:
    return shape.__name__ if isinstance(shape, type) else str(shape)


def _canary_like(value: object, shape: Any) -> object | None:
    """A value with the canary in it for a field; None when it cannot hold a text."""
    if "str" not in str(shape):
        return None
    match value:
        case str() | None:
            return CANARY
        case dict():
            return {CANARY: CANARY}
        case tuple() | list():
            return type(value)((CANARY,))
        case _:
            return None
