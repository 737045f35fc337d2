"""What would become of a request."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio import (
    GatewayError,
    ModelInfo,
    ModelNotFoundError,
    OverloadedError,
    ProviderNotFoundError,
    RateLimitError,
    Routing,
    Sampling,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.gateway.breaker import COOLDOWN, IN_A_ROW
from g4f_aio.gateway.catalog import Catalog
from g4f_aio.gateway.credentials import COOLDOWN as KEY_COOLDOWN
from g4f_aio.gateway.credentials import CredentialBook
from g4f_aio.gateway.desk import Desk
from g4f_aio.gateway.explain import Explanation, explain
from g4f_aio.gateway.health import HealthBook
from g4f_aio.gateway.registry import Entry
from g4f_aio.providers.openai_presets import OpenAI
from g4f_aio.providers.scripted import Scripted
from g4f_aio.settings import ModelTarget, ProviderSettings
from g4f_aio.settings.secret import SecretStr
from tests.gateway.catalogs import ASSISTANT, Lists, catalog, entry, request
from tests.gateway.clock import Clock

BROKEN = UpstreamError("it broke")


class Scene:
    """A catalogue, and how its providers have been doing."""

    def __init__(self, known: Catalog) -> None:
        self.catalog = known
        self.clock = Clock()
        self.desk = Desk(HealthBook(self.clock), CredentialBook(self.clock))
        self.health, self.credentials = self.desk.health, self.desk.credentials

    def fail(self, name: str, model: str, times: int = 1) -> None:
        """So many calls fail."""
        standing = self.health.standing(name, model)
        for _ in range(times):
            standing.failed(BROKEN, standing.begin())

    async def explain(self, *asked: Any, **more: Any) -> Explanation:
        """The explanation of a request."""
        return await explain(request(*asked, **more), self.catalog, self.desk)


def lines(found: Explanation) -> list[tuple[str, str, str, str]]:
    """Each one's provider, model, turn and reason."""
    return [(one.provider, one.model, one.asked, one.why) for one in found.prospects]


def chain(*links: ModelTarget) -> dict[str, tuple[ModelTarget, ...]]:
    """The model ``best`` as a chain."""
    return {"best": links}


async def test_the_order_is_that_of_a_request() -> None:
    scene = Scene(
        catalog(
            entry("a", "a1"),
            entry("b", "b1"),
            models=chain(ModelTarget("a"), ModelTarget("b", "b1")),
        )
    )
    found = await scene.explain("best")
    assert lines(found) == [("a", "best", "first", ""), ("b", "b1", "then", "")]
    assert (found.rule, found.error) == ("the chain of best in the settings", None)
    assert [one.wait for one in found.prospects] == [0, 0]
    assert [one.when for one in found.prospects] == [None, None]


async def test_who_failed_comes_later_and_why_is_told() -> None:
    scene = Scene(catalog(entry("a", "m"), entry("b", "m")))
    scene.fail("a", "m")
    found = await scene.explain("m")
    assert lines(found) == [
        ("b", "m", "first", ""),
        ("a", "m", "then", "a failed just now"),
    ]
    assert [one.health.state for one in found.prospects if one.health] == ["unknown", "failing"]


async def test_who_keeps_failing_is_left_out_for_so_many_seconds() -> None:
    scene = Scene(catalog(entry("a", "m"), entry("b", "m")))
    scene.fail("a", "m", IN_A_ROW)
    scene.clock.advance(1)
    found = await scene.explain("m")
    assert lines(found)[1] == ("a", "m", "left_out", "a keeps failing (it broke)")
    assert found.prospects[1].wait == COOLDOWN - 1
    assert found.error is None
    alone = await scene.explain("a:m")
    assert isinstance(alone.error, OverloadedError)
    assert lines(alone) == [("a", "m", "left_out", "a keeps failing (it broke)")]


async def test_whose_keys_rest_is_left_out() -> None:
    scene = Scene(catalog(entry("a", "m", key="k")))
    key = scene.credentials.take(scene.catalog.registry.chosen[0], "m")
    scene.credentials.failed(key, "m", RateLimitError("slow down"))
    found = await scene.explain("m")
    assert lines(found) == [("a", "m", "left_out", "every key of a rests")]
    assert found.prospects[0].wait == KEY_COOLDOWN
    assert isinstance(found.error, RateLimitError)
    mine = await scene.explain("m", keys={"a": "mine"})
    assert lines(mine) == [("a", "m", "first", "")]


async def test_a_condition_is_shown_with_what_it_is_about() -> None:
    when = "error_rate < 50% and ttft < 3"
    links = (
        ModelTarget("a", "m", when=when),
        ModelTarget("b", "m", when="calls < 5"),
    )
    scene = Scene(catalog(entry("a", "m"), entry("b", "m"), models=chain(*links)))
    found = await scene.explain("best")
    assert [one.asked for one in found.prospects] == ["first", "then"]
    assert found.prospects[0].when == when
    assert found.prospects[0].values == {"error_rate": None, "ttft": None}
    scene.fail("a", "m")
    found = await scene.explain("best")
    assert lines(found) == [
        ("b", "m", "first", ""),
        (
            "a",
            "m",
            "left_out",
            f"a is asked only when {when} (error_rate is 1, ttft is not known)",
        ),
    ]
    assert found.prospects[1].wait is None, "nobody knows"
    assert found.prospects[1].values == {"error_rate": 1.0, "ttft": None}


async def test_links_that_cannot_be_used_are_at_the_end_with_their_reasons() -> None:
    broken = Entry("broken", "x", "d", "1", ProviderSettings("x"), error="no module named x")
    off = Entry("off", "s", "d", "1", ProviderSettings("s", enabled=False), Scripted())
    free = Entry("free", "s", "d", "1", ProviderSettings("s"), Scripted())
    lacks = "Provider {} is not configured; it needs"
    names = ("broken", "off", "OpenAI", "free", "nowhere", "ignored", "a")
    scene = Scene(
        catalog(
            broken,
            off,
            free,
            entry("OpenAI", provider=OpenAI()),
            entry("ignored", "i1"),
            entry("a", "a1"),
            models=chain(*map(ModelTarget, names)),
            ignored_providers=("ignored",),
        )
    )
    found = await scene.explain("best")
    assert {(one.model, one.asked) for one in found.prospects[1:]} == {("best", "left_out")}
    why = {one.provider: one.why for one in found.prospects}
    assert [*why] == ["a", *names[:-1]]
    assert why == {
        "a": "",
        "broken": "Provider broken is broken: no module named x",
        "off": "Provider off is switched off in the settings",
        "OpenAI": f"{lacks.format('OpenAI')} an API key: set OPENAI_API_KEY, or api_key in "
        "[providers.OpenAI]",
        "free": f"{lacks.format('free')} your consent: add [providers.free] to the settings",
        "nowhere": "Provider 'nowhere' not found.",
        "ignored": "Provider ignored is switched off by routing.ignored_providers",
    }
    assert {one.health for one in found.prospects[1:]} == {None}


async def test_of_an_open_choice_those_are_told_that_lack_something() -> None:
    scene = Scene(
        catalog(
            entry("a", "m"),
            entry("OpenAI", provider=OpenAI()),
            entry("Groq", provider=OpenAI(), chosen=False),
            entry("free", provider=Scripted(), chosen=False),
            ASSISTANT,
        )
    )
    assert [line[:3] for line in lines(await scene.explain())] == [
        ("a", "m", "first"),
        ("OpenAI", "", "left_out"),
    ]
    assert [line[:3] for line in lines(await scene.explain("scripted"))] == [
        ("free", "scripted", "left_out"),
        ("OpenAI", "", "left_out"),
    ]
    assert [line[:3] for line in lines(await scene.explain("a:m"))] == [("a", "m", "first")]


async def test_each_is_told_once() -> None:
    known = catalog(entry("a", "m"), entry("off", "m"), ignored_providers=("off",))
    found = await Scene(known).explain("m")
    assert [line[:3] for line in lines(found)] == [("a", "m", "first"), ("off", "m", "left_out")]


@pytest.mark.parametrize(
    ("model", "provider", "error"),
    [
        ("unheard-of", None, ModelNotFoundError),
        ("m", "nobody", ProviderNotFoundError),
        ("m", "OpenAI", UpstreamAuthError),
    ],
)
async def test_the_error_is_that_of_the_request(
    model: str, provider: str | None, error: type[GatewayError]
) -> None:
    known = catalog(entry("a", "a1"), entry("OpenAI", provider=OpenAI(), chosen=False))
    found = await Scene(known).explain(model, provider)
    with pytest.raises(error) as caught:
        await known.candidates(request(model, provider))
    assert isinstance(found.error, error)
    assert found.error.message == caught.value.message
    assert [(one.provider, one.model) for one in found.prospects if one.why] == (
        [(provider, model)] if provider else []
    )
    assert not [one for one in found.prospects if one.asked != "left_out"]


async def test_a_callers_own_key_counts_and_does_not_show() -> None:
    known = catalog(entry("OpenAI", provider=OpenAI(), chosen=False))
    found = await Scene(known).explain("gpt-4o", "OpenAI", keys={"": "sk-secret"})
    assert lines(found) == [("OpenAI", "gpt-4o", "first", "")]
    assert "sk-secret" not in repr(found)


async def test_no_key_of_the_server_shows() -> None:
    table = ProviderSettings("a", api_key=SecretStr("sk-secret"), models=("m",))
    one = Entry("a", "a", "d", "1", table, OpenAI(), chosen=True)
    found = await Scene(catalog(one)).explain("m")
    assert "sk-secret" not in repr(found)


async def test_lists_of_models_are_all_that_is_asked_for() -> None:
    lists = Lists(a=(ModelInfo("m"),))
    scene = Scene(catalog(entry("a"), lists=lists))
    for _ in range(2):
        assert lines(await scene.explain("m")) == [("a", "m", "first", "")]
    assert lists.asked == ["a"]
    assert not scene.health.standing("a", "m").model.running


@attrs.frozen(kw_only=True)
class Plain(Scripted):
    """A model of language whose API takes nothing but messages."""

    name: ClassVar[str] = "plain"
    ignores: ClassVar[frozenset[str]] = frozenset(("stop",))

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("m"),)


async def test_what_would_be_supplied_is_told() -> None:
    scene = Scene(catalog(entry("a", "m", provider=Plain())))
    chat = attrs.evolve(request("m"), n=2, sampling=Sampling(stop=("END",)))
    found, *_ = (await explain(chat, scene.catalog, scene.desk)).prospects
    assert found.emulated == ("n", "stop")
    assert found.suppliable == ("tools", "json_object", "json_schema", "n", "stop")
    found, *_ = (await scene.explain("m")).prospects
    assert found.emulated == ()


async def test_who_does_not_take_a_parameter_is_left_out_where_others_do() -> None:
    scene = Scene(catalog(entry("a", "m", provider=Plain()), entry("b", "m")))
    chat = attrs.evolve(request("m"), sampling=Sampling(stop=("END",)))
    found = await explain(chat, scene.catalog, scene.desk)
    assert lines(found) == [
        ("b", "m", "first", ""),
        ("a", "m", "left_out", "a does not take: stop"),
    ]
    assert found.prospects[1].emulated == ()


async def test_nor_is_it_asked_where_nothing_may_be_supplied() -> None:
    scene = Scene(catalog(entry("a", "m", provider=Plain())))
    chat = attrs.evolve(
        request("m"), sampling=Sampling(stop=("END",)), routing=Routing(emulate=False)
    )
    found = await explain(chat, scene.catalog, scene.desk)
    assert lines(found) == [("a", "m", "left_out", "a does not take: stop")]
    assert found.error is not None
    assert found.error.param == "stop"
