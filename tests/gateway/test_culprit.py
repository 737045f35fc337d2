"""Whose code a stack is in."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import attrs
import pytest

from g4f_aio.core.provider import Provider
from g4f_aio.gateway.culprit import Step, Suspects
from g4f_aio.providers.openai_compatible import OpenAICompatible

Look = Callable[[], list[FrameType]]
#: a provider that calls what it is handed, in several ways
ACTOR = """
    import attrs
    from g4f_aio import Provider

    def helper(then):
        return then()

    def outer(then):
        return helper(then)

    @attrs.frozen(kw_only=True)
    class Actor(Provider):
        name = "actor"

        def act(self, then):
            return then()

        def act_with_help(self, then):
            return outer(then)

        @staticmethod
        def act_alone(then):
            return helper(then)
"""


def look() -> list[FrameType]:
    """The stack of whoever calls it, the deepest frame first."""
    found = []
    frame = sys._getframe().f_back
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


Write = Callable[[str, str], Any]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a module, with the packages it is in, and import it."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(name: str, source: str) -> Any:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), "utf-8")
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def step(stack: list[FrameType], **providers: Provider) -> Step:
    return Suspects(providers).step(stack)


def lines(trace: str) -> list[str]:
    """The functions of a trace."""
    return [line.rpartition(" in ")[2] for line in trace.split(" > ")]


def test_a_module_s_functions_are_its_provider_s(write: Write) -> None:
    actor = write("lone_actor", ACTOR)
    found = step(actor.helper(look), actor=actor.Actor())
    assert found.provider == "actor"
    assert lines(found.trace) == ["helper"]
    assert "lone_actor.py:" in found.trace


def test_a_step_goes_from_the_provider_s_outermost_frame_to_the_deepest(write: Write) -> None:
    actor = write("deep_actor", ACTOR)
    provider = actor.Actor()
    found = step(
        provider.act_with_help(lambda: sorted([1], key=lambda _: 0) and look()), actor=provider
    )
    assert lines(found.trace) == ["act_with_help", "outer", "helper", "<lambda>"]
    assert found.frame is not None
    assert found.frame.f_code.co_name == "act_with_help"


def test_all_of_a_package_is_its_provider_s(write: Write) -> None:
    write("acme_pack.__init__", "")
    tools = write("acme_pack.inner.tools", "def work(then): return then()")
    main = write("acme_pack.provider", ACTOR)
    assert step(tools.work(look), actor=main.Actor()).provider == "actor"


def test_what_begins_like_a_package_is_another_s(write: Write) -> None:
    write("acme_one.__init__", "")
    main = write("acme_one.provider", ACTOR)
    write("acme_one_more.__init__", "")
    other = write("acme_one_more.tools", "def work(then): return then()")
    assert step(other.work(look), actor=main.Actor()).provider is None


def test_a_namespace_is_shared(write: Write) -> None:
    first = write("acme_space.first", ACTOR)
    second = write("acme_space.second", ACTOR)
    found = step(second.helper(look), one=first.Actor(), two=second.Actor())
    assert found.provider == "two"


def test_of_several_in_one_module_the_method_tells_which(write: Write) -> None:
    actor = write("twins", ACTOR)
    one, two = actor.Actor(), actor.Actor()
    found = step(two.act_with_help(look), one=one, two=two)
    assert found.provider == "two"
    assert lines(found.trace) == ["act_with_help", "outer", "helper"]
    nobody = step(actor.outer(look), one=one, two=two)
    assert nobody.provider is None
    assert nobody.frame is None
    assert lines(nobody.trace)[-2:] == ["outer", "helper"]


def test_a_subclass_of_ours_is_known_by_its_methods() -> None:
    class Deaf(OpenAICompatible):
        def missing(self) -> str | None:
            return super().missing()

    @attrs.frozen(kw_only=True)
    class Preset(Deaf):
        def look(self) -> Any:
            return look()

    one, two = Preset(base_url="http://one"), Preset(base_url="http://two")
    assert step(two.look(), one=one, two=two).provider == "two"


def test_one_of_ours_is_known_by_its_methods_only() -> None:
    """Its package is the whole program."""
    one = OpenAICompatible(base_url="http://one")
    work = named("g4f_aio.server.chat")
    assert step(work(look), one=one).provider is None


@pytest.fixture
def actor(write: Write) -> Any:
    """A provider of somebody else's."""
    return write("some_actor", ACTOR).Actor()


def named(module: str) -> Callable[[Callable[[], Any]], Any]:
    """A function that calls another one, as if it were of that module."""
    space: dict[str, Any] = {"__name__": module}
    exec("def work(then): return then()", space)  # noqa: S102  (this very source)
    work: Callable[[Callable[[], Any]], Any] = space["work"]
    return work


@pytest.mark.parametrize(
    ("module", "blamed"),
    [
        ("g4f_aio.core.requests", None),
        ("g4f_aio.providers.upstream", None),
        ("aiohttp.client", None),
        ("json.decoder", "actor"),
        ("requests", "actor"),
    ],
)
def test_who_calls_us_does_not_answer_for_what_we_do(
    actor: Any, module: str, blamed: str | None
) -> None:
    work = named(module)
    assert step(actor.act(lambda: work(look)), actor=actor).provider == blamed


def test_a_function_beside_one_of_our_providers_works_for_whoever_called_it(
    write: Write,
) -> None:
    work = named("g4f_aio.providers.openai_compatible")
    preset = write(
        "some_preset",
        """
        from g4f_aio.providers.openai_compatible import OpenAICompatible

        class Preset(OpenAICompatible):
            def act(self, work, then):
                return work(then)
        """,
    )
    one, two = preset.Preset(base_url="http://one"), preset.Preset(base_url="http://two")
    assert step(two.act(work, look), one=one, two=two).provider == "two"
    assert step(work(look), one=one, two=two).provider is None


def test_a_module_without_a_name_is_no_matter(actor: Any) -> None:
    space: dict[str, Any] = {"__name__": None}
    exec("def work(then): return then()", space)  # noqa: S102  (this very source)
    assert step(actor.act(lambda: space["work"](look)), actor=actor).provider == "actor"


def test_a_class_whose_module_is_gone_is_known_by_its_methods(write: Write) -> None:
    actor = write("gone_actor", ACTOR)
    del sys.modules["gone_actor"]
    provider = actor.Actor()
    assert step(provider.act(look), actor=provider).provider == "actor"
    assert step(actor.helper(look), actor=provider).provider is None


def test_an_import_is_seen(actor: Any, write: Write) -> None:
    stacks: list[list[FrameType]] = []
    seen: Any = sys.modules[__name__]
    seen.stacks = stacks

    def load() -> None:
        source = f"import sys\nm = sys.modules[{__name__!r}]\nm.stacks.append(m.look())\n"
        write("looks_when_imported", source)

    actor.act(load)
    found = step(stacks[0], actor=actor)
    assert found.provider == "actor"
    assert found.importing
    assert "importlib._bootstrap" not in found.trace
    assert not step(actor.act(look), actor=actor).importing


def test_a_long_trace_is_cut_in_its_middle(actor: Any) -> None:
    def fall(levels: int) -> Any:
        return fall(levels - 1) if levels else look()

    found = step(actor.act(lambda: fall(10)), actor=actor)
    assert lines(found.trace) == ["act", "<lambda>", "…", "fall", "fall", "fall"]


def test_at_rest_there_is_nothing_to_tell(actor: Any) -> None:
    found = step([], actor=actor)
    assert (found.provider, found.trace) == (None, "")
