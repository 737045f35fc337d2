"""JSON into attrs classes, strictly: no coercion, every error with its JSON path."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
import orjson
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn
from cattrs.v import transform_error

from ..core.errors import BadRequestError

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

#: so many errors are described; who sends a million of them need not read about each
MOST_ERRORS = 10
#: objects and arrays in a request; each costs more memory than it has bytes, and time
MOST_CONTAINERS = 50_000
#: a body with no more brackets than that cannot be nested too deeply
_SHALLOW = 200
#: bytes of a body in which there may be so many
_LARGE = 2**20

_JSON_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def wrong_type(expected: str, value: object) -> TypeError:
    """The error for a *value* that is not what was *expected*, in JSON's words."""
    return TypeError(f"expected {expected}, got {_name(value)}")


def _name(value: object) -> str:
    return _JSON_NAMES.get(type(value), type(value).__name__)


def _strict(value: object, cls: type[T]) -> T:
    if type(value) is not cls:
        raise wrong_type(_JSON_NAMES[cls], value)
    return value


def _number(value: object, _: type) -> float:
    if type(value) is not float and type(value) is not int:
        raise wrong_type("a number", value)
    return value


def _object(value: object, _: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise wrong_type("an object", value)
    return value


def strict_converter(*, detailed: bool = True) -> cattrs.Converter:
    """A converter that takes JSON as it is: ``"false"`` is no boolean and ``1`` is no string.

    *detailed* collects all errors with their paths, at a price in time.
    """
    converter = cattrs.Converter(detailed_validation=detailed)
    for cls in (str, bool, int):
        converter.register_structure_hook(cls, _strict)
    converter.register_structure_hook(float, _number)
    register(converter, dict[str, Any], _object)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(_is_array, _array_hook)
    return converter


def _class_hook(cls: type[attrs.AttrsInstance], converter: cattrs.Converter) -> Hook:
    """cattrs would look for keys in a list or a string, too."""
    if not converter.detailed_validation:
        return _sparse(cls, converter)
    into = make_dict_structure_fn(cls, converter)

    def structure(value: Any, shape: Any) -> Any:
        if type(value) is not dict:
            raise wrong_type("an object", value)
        return into(value, shape)

    return structure


def _sparse(cls: type[attrs.AttrsInstance], converter: cattrs.Converter) -> Hook:
    """Goes by the keys that are there: requests have few of the many that there could be.

    An object with a ``__dict__`` gets a copy of one with the defaults of *cls*, and what is there:
    its constructor would take each of the many fields in its hands.
    """
    fields = attrs.fields(attrs.resolve_types(cls))
    hooks = {field.name: (converter.get_structure_hook(field.type), field.type) for field in fields}
    right = frozenset((field.name, kind) for field in fields for kind in _as_they_are(field.type))
    defaults = _defaults(cls)
    blank = defaults or {}

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise wrong_type("an object", value)
        found = blank.copy()
        for name, one in value.items():
            if (name, type(one)) in right:
                found[name] = one
            elif name in hooks:
                hook, kind = hooks[name]
                found[name] = hook(one, kind)
        if defaults is None:
            return cls(**found)
        if len(found) < len(hooks):
            raise ValueError("required field missing")
        made = cls.__new__(cls)
        made.__dict__.update(found)
        return made

    return structure


def _defaults(cls: type[attrs.AttrsInstance]) -> dict[str, Any] | None:
    """The defaults of *cls* by their names; None where its constructor does more than take them."""
    fields = attrs.fields(cls)
    for field in fields:
        if field.validator or field.converter or isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
            return None
    if "__slots__" in vars(cls):
        return None
    return {one.name: one.default for one in fields if one.default is not attrs.NOTHING}


def _as_they_are(kind: Any) -> frozenset[type]:
    """The types of JSON whose values are all of that *kind*, a type or a union of some."""
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    found = {one for one in kinds if one in (str, bool, int, float, NoneType)}
    if float in found:
        found.add(int)
    if dict[str, Any] in kinds:
        found.add(dict)
    return frozenset(found)


def _is_array(shape: Any) -> bool:
    """Whether *shape* is ``list[X]`` or ``tuple[X, ...]``."""
    return get_origin(shape) is list or (
        get_origin(shape) is tuple and get_args(shape)[1:] == (...,)
    )


def _array_hook(shape: Any, converter: cattrs.Converter) -> Hook:
    """cattrs would take any iterable for an array, such as a string or an object."""
    make, item = get_origin(shape), get_args(shape)[0]
    into = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise wrong_type("an array", value)
        found = [into(one, item) for one in value]
        return found if make is list else tuple(found)

    def explain(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise wrong_type("an array", value)
        found, errors = [], []
        for index, one in enumerate(value):
            try:
                found.append(into(one, item))
            except Exception as error:  # noqa: BLE001  (collected, raised below)
                error.add_note(IterableValidationNote(f"at {index}", index, item))
                errors.append(error)
                if len(errors) == MOST_ERRORS:
                    break
        if errors:
            raise IterableValidationError("in an array", errors, shape)
        return found if make is list else tuple(found)

    return explain if converter.detailed_validation else structure


def register(converter: cattrs.Converter, shape: object, hook: Hook) -> None:
    """Structure exactly *shape*, which may be a union or a generic, with *hook*."""
    converter.register_structure_hook_func(lambda candidate: candidate == shape, hook)


def describe(error: BaseException) -> list[tuple[str, str]]:
    """The errors of a failed structuring as pairs of JSON path and message."""
    found = []
    for line in transform_error(error, path="$", format_exception=_message):
        message, _, path = line.partition(" @ $")
        found.append(("$" + path, message))
    return found


def _message(error: BaseException, _: type | None) -> str:
    match error:
        case KeyError():
            return "required field missing"
        case TypeError() | ValueError():
            return str(error)
        case _:
            return f"invalid value ({error})"


def structured(raw: dict[str, Any], shape: type[T], exact: cattrs.Converter) -> T:
    """The typed fields of a request; BadRequestError with the JSON path of each wrong one."""
    try:
        return exact.structure(raw, shape)
    except Exception as error:  # noqa: BLE001  (described in full, never swallowed)
        raise bad_request(error) from None


def load_object(body: bytes) -> dict[str, Any]:
    """A JSON object; BadRequestError when *body* is something else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not valid JSON: {error}") from None
    if type(value) is not dict:
        raise BadRequestError(f"The body must be a JSON object, not {_name(value)}")
    if body.count(b"{") + body.count(b"[") > _SHALLOW:
        try:
            # orjson reads what is nested deeper than what it writes, and translations nest it deeper
            orjson.dumps([[[[[[[[value]]]]]]]])
        except orjson.JSONEncodeError:
            raise BadRequestError("The body is nested too deeply") from None
    if len(body) > _LARGE and _is_many(value):
        raise BadRequestError(f"The body has more than {MOST_CONTAINERS} objects and arrays")
    return value


def _is_many(value: dict[str, Any]) -> bool:
    """Whether there are more than MOST_CONTAINERS in it."""
    seen = 0
    unseen: list[Any] = [value]
    while unseen and seen <= MOST_CONTAINERS:
        one = unseen.pop()
        seen += 1
        inner = one.values() if type(one) is dict else one
        unseen += [each for each in inner if type(each) is dict or type(each) is list]
    return seen > MOST_CONTAINERS


def bad_request(error: BaseException) -> BadRequestError:
    """The 400 for a failed structuring; *param* is the path of the first field at fault."""
    found = describe(error)
    path = found[0][0].removeprefix("$").removeprefix(".") or None
    described = [f"{at}: {what}" for at, what in found[:MOST_ERRORS]]
    if len(found) > MOST_ERRORS:
        described.append("and more")
    return BadRequestError("; ".join(described), param=path)
