"""What a class says of itself is looked at, and each mistake told with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import (
    CallContext,
    Capability,
    ChatRequest,
    EventStream,
    Finish,
    ModelInfo,
    Provider,
    TextDelta,
)
from g4f_aio.providers.openai_compatible import OpenAICompatible
from tests.testing.judged import Good, faults, said


class Undecorated(Good):
    name: ClassVar[str] = "zoo"


@attrs.frozen
class Positional(Good):
    name: ClassVar[str] = "zoo"


@attrs.define(kw_only=True)
class Mutable(Good):
    name: ClassVar[str] = "zoo"

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@attrs.frozen(kw_only=True)
class Nameless(Provider):
    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield Finish()


@attrs.frozen(kw_only=True)
class NameIsASetting(Good):
    name: str = "zoo"  # type: ignore[misc]


@attrs.frozen(kw_only=True)
class NameWithColon(Good):
    name: ClassVar[str] = "zoo:1"


@attrs.frozen(kw_only=True)
class NameOfItsBase(OpenAICompatible):
    base_url: str = "https://api.acme.example/v1"


@attrs.frozen(kw_only=True)
class WordsForFlags(Good):
    name: ClassVar[str] = "zoo"
    capabilities = ("chat",)  # type: ignore[assignment]


@attrs.frozen(kw_only=True)
class OddKey(Good):
    name: ClassVar[str] = "zoo"
    key: ClassVar[str] = "yes"


@attrs.frozen(kw_only=True)
class FlagWithoutMethod(Provider):
    name: ClassVar[str] = "zoo"


@attrs.frozen(kw_only=True)
class MethodWithoutFlag(Good):
    name: ClassVar[str] = "zoo"
    capabilities: ClassVar[Capability] = Capability.NONE


@attrs.frozen(kw_only=True)
class StreamWithoutChat(Provider):
    name: ClassVar[str] = "zoo"
    capabilities: ClassVar[Capability] = Capability.STREAM


@attrs.frozen(kw_only=True)
class CoroutineForGenerator(Good):
    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> list[TextDelta]:  # type: ignore[override]
        return [TextDelta("a")]


@attrs.frozen(kw_only=True)
class PlainGenerator(Good):
    name: ClassVar[str] = "zoo"

    def chat(self, request: ChatRequest, ctx: CallContext) -> Iterator[Any]:  # type: ignore[override]
        yield TextDelta("a")
        yield Finish()


@attrs.frozen(kw_only=True)
class PlainFetch(Good):
    name: ClassVar[str] = "zoo"

    def fetch_models(self, ctx: CallContext) -> Any:
        return ()


@attrs.frozen(kw_only=True)
class AsyncModels(Good):
    name: ClassVar[str] = "zoo"

    async def models(self) -> Any:  # type: ignore[override]
        return ()

    async def missing(self) -> Any:  # type: ignore[override]
        return None


@attrs.frozen(kw_only=True)
class EmbedsWithoutMethod(Good):
    name: ClassVar[str] = "zoo"
    capabilities: ClassVar[Capability] = Good.capabilities | Capability.EMBEDDINGS


@attrs.frozen(kw_only=True)
class ModeratesWithoutFlag(Good):
    name: ClassVar[str] = "zoo"

    async def moderate(self, request: Any, ctx: CallContext) -> bytes:
        return b"{}"


@attrs.frozen(kw_only=True)
class PlainEmbed(Good):
    name: ClassVar[str] = "zoo"
    capabilities: ClassVar[Capability] = Good.capabilities | Capability.EMBEDDINGS

    def embed(self, request: Any, ctx: CallContext) -> Any:
        return None


@attrs.frozen(kw_only=True)
class IgnoresTooMuch(Good):
    name: ClassVar[str] = "zoo"
    ignores: ClassVar[frozenset[str]] = frozenset(("stop", "seed"))


@attrs.frozen(kw_only=True)
class IgnoresInAList(Good):
    name: ClassVar[str] = "zoo"
    ignores = ["stop"]  # type: ignore[assignment]  # noqa: RUF012  (that is what is wrong)


@attrs.frozen(kw_only=True)
class DefaultsByName(Good):
    name: ClassVar[str] = "zoo"
    defaults = {"embeddings": "small"}  # type: ignore[dict-item]  # noqa: RUF012


@pytest.mark.parametrize(
    ("cls", "fault"),
    [
        (EmbedsWithoutMethod, "it declares Capability.EMBEDDINGS and has no method embed: write"),
        (ModeratesWithoutFlag, "it has a method moderate and does not declare Capability.MODERAT"),
        (PlainEmbed, "embed must be a coroutine: write `async def embed`"),
        (IgnoresTooMuch, "ignores has seed: only max_tokens, stop, system can be supplied by the"),
        (IgnoresInAList, "ignores must be a frozenset, and is ['stop']: write ignores: ClassVar"),
        (DefaultsByName, "defaults must have Capability for keys and models' ids for values"),
        (Undecorated, "decorate the class with @attrs.frozen(kw_only=True): without it its"),
        (Positional, "give the decorator kw_only=True, as in @attrs.frozen(kw_only=True)"),
        (Mutable, "its instances can be changed, and all calls share one: leave __setattr__ to"),
        (Nameless, 'name must be a str, and is None: write name: ClassVar[str] = "acme"'),
        (NameIsASetting, "name became a setting: annotate it as a class variable, name: ClassVar"),
        (NameWithColon, "name may have letters, digits and . _ - only, and is 'zoo:1'"),
        (NameOfItsBase, "the name 'openai-compatible' is that of its base class: give it its own"),
        (WordsForFlags, "capabilities must be a Capability, and is ('chat',): write capabilities:"),
        (OddKey, "key is 'yes': it must be one of 'none', 'optional', 'required'"),
        (FlagWithoutMethod, "it declares Capability.CHAT and has no method chat: write the method"),
        (MethodWithoutFlag, "it has a method chat and does not declare Capability.CHAT: add the"),
        (StreamWithoutChat, "it declares Capability.STREAM without Capability.CHAT: only a chat"),
        (CoroutineForGenerator, "chat is a coroutine and must be an asynchronous generator: yield"),
        (PlainGenerator, "chat is a plain generator and would block the others: write `async"),
        (PlainFetch, "fetch_models must be a coroutine: write `async def fetch_models`"),
    ],
)
async def test_mistakes_of_a_class(cls: type[Provider], fault: str) -> None:
    (found,) = await said(cls)
    assert found.startswith(fault)
    called = await faults(cls)
    assert found in called


async def test_what_a_built_in_base_can_do_need_not_be_declared() -> None:
    @attrs.frozen(kw_only=True)
    class Preset(OpenAICompatible):
        name: ClassVar[str] = "zoo"
        base_url: str = "https://api.zoo.example/v1"

    assert Capability.MODERATIONS not in Preset.capabilities
    assert await said(Preset) == []


async def test_what_is_asked_of_the_settings_may_not_wait() -> None:
    assert await faults(AsyncModels) == [
        "models may not wait for anything: write `def models`, without async",
        "missing may not wait for anything: write `def missing`, without async",
    ]


def telling(missing: Any, models: Any) -> type[Provider]:
    """A provider that says this of itself, or raises it."""

    def tell(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    @attrs.frozen(kw_only=True)
    class Telling(Good):
        name: ClassVar[str] = "zoo"

        def missing(self) -> str | None:
            return tell(missing)  # type: ignore[no-any-return]

        def models(self) -> tuple[ModelInfo, ...]:
            return tell(models)  # type: ignore[no-any-return]

    return Telling


@pytest.mark.parametrize(
    ("missing", "fault"),
    [
        (False, "missing() returns False: return a text, or None when nothing is missing"),
        ("", "missing() says '': say in a few words on one line what is missing, as in 'base_url,"),
        ("a\nb", "missing() says 'a\\nb': say in a few words"),
        ("It needs a base_url.", "missing() says 'It needs a base_url.': say in a few words"),
        (OSError("disk"), "missing() raises OSError: disk: it may only look at the settings"),
    ],
)
async def test_mistakes_of_missing(missing: Any, fault: str) -> None:
    (found,) = await said(telling(missing, ()))
    assert found.startswith(fault)
    assert found in await faults(telling(missing, ()))


async def test_something_may_be_missing() -> None:
    assert await said(telling('region, such as "eu"', ())) == []


@pytest.mark.parametrize(
    ("models", "fault"),
    [
        ([ModelInfo("a")], "models() gives a list: return a tuple of ModelInfo"),
        (("a", 1), "models() gives int, str in its tuple: make them ModelInfo"),
        ((ModelInfo("a"), ModelInfo("a")), "models() has 'a' twice: every id and alias must be"),
        ((ModelInfo("a"), ModelInfo("b", aliases=("a",))), "models() has 'a' twice: every id"),
        ((ModelInfo(" "),), "models() has a model with the id ' ': an id is a text that is not"),
        ((ModelInfo(5),), "models() has a model with the id 5"),  # type: ignore[arg-type]
        ((ModelInfo("a", "chat"),), "models(): the capabilities of 'a' must be a Capability"),  # type: ignore[arg-type]
        ((ModelInfo("a", aliases="b"),), "models(): the aliases of 'a' must be a tuple of texts"),  # type: ignore[arg-type]
        (KeyError("eu"), "models() raises KeyError: 'eu': it may neither ask anybody nor need a"),
        (ValueError(), "models() raises ValueError: it may neither"),
    ],
)
async def test_mistakes_of_models(models: Any, fault: str) -> None:
    (found,) = await said(telling(None, models))
    assert found.startswith(fault)
    assert found in await faults(telling(None, models))


async def test_an_instance_is_looked_at_as_well() -> None:
    assert await said(Good()) == []
    (found,) = await said(telling(None, [])())
    assert found.startswith("models() gives a list")
