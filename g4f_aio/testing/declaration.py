"""What a provider's class says of itself: identity, flags, models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..core.models import Capability, ModelInfo
from ..core.provider import Provider
from ..gateway.plugins import IGNORABLE

#: which method answers what is asked for under a flag
OPERATIONS = (
    (Capability.CHAT, "chat"),
    (Capability.EMBEDDINGS, "embed"),
    (Capability.MODERATIONS, "moderate"),
)
#: the methods that are coroutines
_COROUTINES = ("fetch_models", "embed", "moderate", "count_tokens", "kept_response")
KEYS = ("none", "optional", "required")
_DECORATOR = "@attrs.frozen(kw_only=True)"
#: the class variables, what each must be, and how to write it
_IDENTITY: dict[str, tuple[type, str]] = {
    "name": (str, 'name: ClassVar[str] = "acme"'),
    "label": (str, 'label: ClassVar[str] = "Acme"'),
    "description": (str, 'description: ClassVar[str] = "…"'),
    "url": (str, 'url: ClassVar[str | None] = "https://…"'),
    "capabilities": (
        Capability,
        "capabilities: ClassVar[Capability] = Capability.CHAT | Capability.STREAM",
    ),
    "key": (str, 'key: ClassVar[str] = "required"'),
    "local": (bool, "local: ClassVar[bool] = False"),
    "opt_in": (bool, "opt_in: ClassVar[bool] = False"),
    "ignores": (frozenset, 'ignores: ClassVar[frozenset[str]] = frozenset(("stop",))'),
    "defaults": (Mapping, "defaults: ClassVar[Mapping[Capability, str]] = {}"),
}
#: what a request can name; a colon would end it
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def class_faults(cls: type[Provider]) -> Iterator[str]:
    """What is wrong with a class before there is an instance of it."""
    if "__attrs_attrs__" not in vars(cls):
        yield f"decorate the class with {_DECORATOR}: without it its fields are no settings"
    elif attrs.inspect(cls).kw_only is attrs.ClassProps.KeywordOnly.NO:
        yield f"give the decorator kw_only=True, as in {_DECORATOR}: settings have names, no order"
    yield from _identity_faults(cls)
    yield from _flag_faults(cls)
    yield from _method_faults(cls)


def _identity_faults(cls: type[Provider]) -> Iterator[str]:
    fields = {field.name for field in attrs.fields(cls)}
    for name, (kind, form) in _IDENTITY.items():
        value = getattr(cls, name, None)
        if name in fields:
            yield f"{name} became a setting: annotate it as a class variable, {form}"
        elif value is None and name == "url":
            pass
        elif not isinstance(value, kind):
            yield f"{name} must be a {kind.__name__}, and is {value!r}: write {form}"
        elif name == "name" and not _NAME.fullmatch(str(value)):
            yield f"name may have letters, digits and . _ - only, and is {value!r}: rename it"
        elif name == "name" and any(vars(base).get("name") == value for base in cls.__mro__[1:]):
            yield f"the name {value!r} is that of its base class: give it its own, {form}"
        elif name == "ignores" and not cls.ignores <= IGNORABLE:
            names = ", ".join(sorted(map(str, cls.ignores - IGNORABLE)))
            known = ", ".join(sorted(IGNORABLE))
            yield f"ignores has {names}: only {known} can be supplied by the gateway"
        elif name == "defaults" and not all(map(_is_default, cls.defaults.items())):
            yield f"defaults must have Capability for keys and models' ids for values: write {form}"
        elif name == "key" and value not in KEYS:
            yield f"key is {value!r}: it must be one of {', '.join(map(repr, KEYS))}"


def _is_default(pair: tuple[object, object]) -> bool:
    return isinstance(pair[0], Capability) and isinstance(pair[1], str)


def _flag_faults(cls: type[Provider]) -> Iterator[str]:
    flags = cls.capabilities
    if type(flags) is not Capability:
        return  # said already
    for flag, method in OPERATIONS:
        if flag in flags and getattr(cls, method) is getattr(Provider, method):
            yield (
                f"it declares Capability.{flag.name} and has no method {method}:"
                " write the method, or leave the flag out"
            )
        if _adds(cls, method) and flag not in flags:
            yield (
                f"it has a method {method} and does not declare Capability.{flag.name}:"
                " add the flag, or nobody will ever ask it"
            )
    if Capability.STREAM in flags and Capability.CHAT not in flags:
        yield "it declares Capability.STREAM without Capability.CHAT: only a chat is streamed"


def _method_faults(cls: type[Provider]) -> Iterator[str]:
    chat = cls.chat
    if inspect.iscoroutinefunction(chat):
        yield "chat is a coroutine and must be an asynchronous generator: yield, never return"
    elif inspect.isgeneratorfunction(chat):
        yield "chat is a plain generator and would block the others: write `async def chat`"
    for name in _COROUTINES:
        if not inspect.iscoroutinefunction(getattr(cls, name)):
            yield f"{name} must be a coroutine: write `async def {name}`"
    for name in ("models", "missing"):
        if inspect.iscoroutinefunction(getattr(cls, name)):
            yield f"{name} may not wait for anything: write `def {name}`, without async"


def _adds(cls: type[Provider], method: str) -> bool:
    """Whether a method is of a plug-in: those of ours may leave it to a subclass to declare it."""
    owner = next(base for base in cls.__mro__ if method in vars(base))
    return owner.__module__.partition(".")[0] != __name__.partition(".")[0]


def can_be_called(cls: type[Provider]) -> bool:
    """Whether a call may succeed, as far as one can see; what speaks against it is a fault."""
    answers = not (inspect.iscoroutinefunction(cls.chat) or inspect.isgeneratorfunction(cls.chat))
    describes = not any(inspect.iscoroutinefunction(one) for one in (cls.models, cls.missing))
    flags, name = cls.capabilities, getattr(cls, "name", None)
    chats = type(flags) is Capability and Capability.CHAT in flags
    return answers and describes and chats and isinstance(name, str)


def instance_faults(provider: Provider) -> Iterator[str]:
    """What is wrong with what an instance says of itself."""
    yield from _mutability_faults(provider)
    yield from _missing_faults(provider)
    if inspect.iscoroutinefunction(type(provider).models):
        return
    try:
        models = provider.models()
    except Exception as error:  # noqa: BLE001  (it may fail in any way; that is the finding)
        yield f"models() raises {described(error)}: it may neither ask anybody nor need a setting"
        return
    yield from model_faults(models, "models()")


def _mutability_faults(provider: Provider) -> Iterator[str]:
    fields = attrs.fields(type(provider))
    name = fields[0].name if fields else "label"
    try:
        setattr(provider, name, getattr(provider, name))
    except Exception:  # noqa: BLE001  (whatever it is, it is a refusal)
        return
    yield (
        f"its instances can be changed, and all calls share one: leave __setattr__ to {_DECORATOR}"
    )


def _missing_faults(provider: Provider) -> Iterator[str]:
    if inspect.iscoroutinefunction(type(provider).missing):
        return
    try:
        said: object = provider.missing()
    except Exception as error:  # noqa: BLE001  (likewise)
        yield f"missing() raises {described(error)}: it may only look at the settings"
        return
    match said:
        case None:
            pass
        case str() if not said.strip() or "\n" in said or said.rstrip().endswith("."):
            yield (
                f"missing() says {said!r}: say in a few words on one line what is missing, as in"
                ' \'base_url, such as "http://127.0.0.1:9000"\', for it is shown after "needs"'
            )
        case str():
            pass
        case _:
            yield f"missing() returns {said!r}: return a text, or None when nothing is missing"


def model_faults(models: Any, whose: str) -> Iterator[str]:
    """What is wrong with a list of models."""
    if not isinstance(models, tuple):
        yield f"{whose} gives a {type(models).__name__}: return a tuple of ModelInfo"
        return
    strangers = {type(model).__name__ for model in models if not isinstance(model, ModelInfo)}
    if strangers:
        yield f"{whose} gives {', '.join(sorted(strangers))} in its tuple: make them ModelInfo"
        return
    names: set[str] = set()
    for model in models:
        if not isinstance(model.id, str) or not model.id.strip():
            yield f"{whose} has a model with the id {model.id!r}: an id is a text that is not empty"
            continue
        if not (model.capabilities is None or isinstance(model.capabilities, Capability)):
            yield (
                f"{whose}: the capabilities of {model.id!r} must be a Capability, or None for"
                " those of the provider"
            )
        aliases = model.aliases
        if not isinstance(aliases, tuple) or not all(isinstance(one, str) for one in aliases):
            yield f"{whose}: the aliases of {model.id!r} must be a tuple of texts"
            aliases = ()
        for name in (model.id, *aliases):
            if name in names:
                yield f"{whose} has {name!r} twice: every id and alias must be unique"
            names.add(name)


def described(error: BaseException) -> str:
    """An exception in a few words."""
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
