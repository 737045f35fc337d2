"""GET /v1/models, /v1/models/{id} and /api/{provider}/models."""

from __future__ import annotations

import time
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import attrs
import pytest

from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.provider import Provider
from g4f_aio.gateway.plugins import Plugin
from g4f_aio.gateway.registry import Registry
from g4f_aio.keys import GATEWAY
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.settings import KeySettings, ModelTarget
from g4f_aio.settings.secret import SecretStr
from tests.conftest import Upstream
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO, Keyed, Script, Seeing, Server, entry

KINDS = {"image": False, "vision": False, "audio": False, "video": False}


def by_id(listed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries of a listing."""
    assert listed["object"] == "list"
    found = {one["id"]: one for one in listed["data"]}
    assert len(found) == len(listed["data"]), "an id is there twice"
    return found


async def test_every_model_and_then_every_provider_is_listed(server: Server) -> None:
    assert (await server.get("/v1/models")).json() == {
        "object": "list",
        "data": [
            {
                "id": "small",
                "object": "model",
                "created": 0,
                "owned_by": "A script",
                **KINDS,
                "provider": False,
                "providers": ["script"],
            },
            {
                "id": "large",
                "object": "model",
                "created": 0,
                "owned_by": "Acme",
                **KINDS,
                "provider": False,
                "providers": ["script"],
            },
            {
                "id": "script",
                "object": "model",
                "created": 0,
                "owned_by": "A script",
                **KINDS,
                "provider": True,
                "providers": ["script"],
            },
        ],
    }


async def test_a_model_that_several_have_is_listed_once(start: Start) -> None:
    server = await start(entry(Script(), "first"), entry(Script(), "second"))
    found = by_id((await server.get("/v1/models")).json())
    assert found["small"]["providers"] == ["first", "second"]
    assert list(found) == ["small", "large", "first", "second"]


async def test_what_a_model_can_do_and_hold_is_told(start: Start) -> None:
    listed = (
        ModelInfo("seen", context_length=8_192, created=1_700_000_000),
        ModelInfo("heard", Capability.CHAT | Capability.SPEECH, not_a_language_model=True),
        ModelInfo("drawn", Capability.IMAGE | Capability.VIDEO),
    )
    server = await start(entry(Seeing(listed=listed)))
    found = by_id((await server.get("/v1/models")).json())
    assert found["seen"]["vision"] is True
    assert found["seen"]["context_length"] == 8_192
    assert found["seen"]["created"] == 1_700_000_000
    assert "not_a_language_model" not in found["seen"]
    assert found["heard"]["vision"] is False
    assert found["heard"]["audio"] is True
    assert found["heard"]["not_a_language_model"] is True
    assert (found["drawn"]["image"], found["drawn"]["video"]) == (True, True)


async def test_what_cannot_be_used_is_not_listed(start: Start) -> None:
    server = await start(
        entry(Script(), "good"),
        entry(Keyed(listed=(ModelInfo("locked"),)), "locked-away"),
        entry(Script(listed=(ModelInfo("off"),)), "switched-off", enabled=False),
        entry(None, "broken", error="cannot be imported"),
        entry(Script(listed=()), "not-there", chosen=False),
    )
    assert set(by_id((await server.get("/v1/models")).json())) == {"small", "large", "good"}


async def test_an_alias_comes_first_and_can_do_what_its_chain_can(start: Start) -> None:
    chain = (ModelTarget("script", "small"), ModelTarget("eyes"), ModelTarget("unknown"))
    settings = attrs.evolve(QUIET, models={"small": chain, "best": chain[:1]})
    server = await start(entry(Script()), entry(Seeing(), "eyes"), settings=settings)
    found = by_id((await server.get("/v1/models")).json())
    assert list(found)[:2] == ["small", "best"]
    assert found["small"]["providers"] == ["script", "eyes", "unknown"]
    assert found["small"]["vision"] is True
    assert found["best"]["vision"] is False
    assert found["best"]["owned_by"] == "g4f_aio"


async def test_a_provider_called_as_its_model_is_one_entry(start: Start) -> None:
    server = await start(entry(Script(listed=(ModelInfo("script"),))))
    found = by_id((await server.get("/v1/models")).json())
    assert list(found) == ["script"]
    assert found["script"]["provider"] is False


ODD = (
    "vendor/model",
    "vendor/model:free",
    "a b",
    "a%2Fb",
    "ünïcode",
    "a?b#c",
    "x",
    "..",
    "a//b",
    "+",
)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_model_is_found_by_its_id_encoded_or_not(
    start: Start, name: str, slash: str
) -> None:
    server = await start(entry(Script(listed=(ModelInfo(name),))))
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    paths = [encoded, encoded.lower()]
    if not set(name) & set("%?# ü"):
        paths += [name, name.replace(":", "%3A"), name.replace("/", "%2f")]
    for path in paths:
        request = f"GET /v1/models/{path}{slash} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = await server.raw(request.encode())
        assert (answer.status, answer.json()["id"]) == (200, name)


async def test_an_entry_by_its_id_is_that_of_the_listing(server: Server) -> None:
    for one in (await server.get("/v1/models")).json()["data"]:
        assert (await server.get(f"/v1/models/{one['id']}")).json() == one


@pytest.mark.parametrize("name", ["none", "Small", "small/x", "%ff", "%00", "%0D", "%C2%85"])
async def test_an_unknown_model_is_not_found(server: Server, name: str) -> None:
    request = f"GET /v1/models/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    answer = await server.raw(request)
    assert answer.status == 404
    error = answer.error()
    assert (error["type"], error["code"], error["param"]) == (*["model_not_found"] * 2, "model")


async def test_a_line_end_in_a_path_is_no_header(server: Server) -> None:
    for path in ("/v1/models/x%0d%0aX-Evil:%201", "/api/%0d%0aX-Evil:%201/models"):
        answer = await server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer.status == 404
        answer.error()
        assert "X-Evil" not in answer.headers


async def test_the_models_of_one_provider(start: Start) -> None:
    server = await start(
        entry(Script(), "first"), entry(Seeing(listed=(ModelInfo("x"),)), "second")
    )
    answer = await server.get("/api/Second/models")
    assert answer.json() == {
        "object": "list",
        "data": [
            {
                "id": "x",
                "object": "model",
                "created": 0,
                "owned_by": "A script",
                **KINDS,
                "vision": True,
                "provider": False,
            }
        ],
    }


async def test_the_models_of_an_unknown_provider_are_not_found(server: Server) -> None:
    answer = await server.get("/api/none/models")
    assert answer.status == 404
    assert answer.error()["code"] == "provider_not_found"


@attrs.frozen(kw_only=True)
class Plain(Provider):
    """A provider without settings."""

    name: ClassVar[str] = "slow"

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo("small"),)


class Slow(EntryPoint):
    """A plug-in whose import takes its time."""

    def load(self) -> Any:
        time.sleep(0.01)
        return Plain


@pytest.mark.parametrize(
    "path", ["/api/slow/models", "/v1/models", "/v1/providers/slow", "/v1/providers"]
)
async def test_a_plug_in_is_imported_beside_the_event_loop(start: Start, path: str) -> None:
    plugin = Plugin("slow", Slow("slow", "acme:Acme", "g4f.providers"), "acme", "1")
    server = await start(registry=Registry(QUIET, {"slow": plugin}))
    assert b"small" in (await server.get(path)).body


# a key that may not ask for everything

ALICE = {"x-api-key": "alice-key"}


async def with_alice(start: Start, *models: str) -> Server:
    """A server with two providers and an alias, and a key that may ask for these models."""
    settings = attrs.evolve(
        QUIET,
        keys={"alice": KeySettings(key=SecretStr("alice-key"), models=models)},
        models={"best": (ModelTarget("first", "large"),)},
    )
    listed = (ModelInfo("vendor/small:free"),)
    second = entry(Script(listed=listed), "second")
    return await start(entry(Script(), "first"), second, settings=settings)


@pytest.mark.parametrize(
    ("models", "listed"),
    [
        ((), ["best", "small", "large", "vendor/small:free", "first", "second"]),
        (("*",), ["best", "small", "large", "vendor/small:free", "first", "second"]),
        (("small", "best"), ["best", "small"]),
        (("*small*",), ["small", "vendor/small:free"]),
        (("second",), ["second"]),
        (("second:*", "none"), []),
    ],
)
async def test_a_key_sees_what_it_may_ask_for(
    start: Start, models: tuple[str, ...], listed: list[str]
) -> None:
    server = await with_alice(start, *models)
    assert list(by_id((await server.get("/v1/models", **ALICE)).json())) == listed
    for name in ("small", "large", "vendor/small:free", "second"):
        answer = await server.get(f"/v1/models/{name}", **ALICE)
        assert answer.status == (200 if name in listed else 404)
    for name in listed:
        asked = await server.chat({**HELLO, "model": name}, headers=ALICE)
        assert asked.status == 200


@pytest.mark.parametrize(
    ("models", "listed"),
    [((), 2), (("first:*",), 2), (("first:large",), 1), (("large",), 0), (("second:*",), 0)],
)
async def test_of_a_provider_it_sees_what_it_may_ask_of_it(
    start: Start, models: tuple[str, ...], listed: int
) -> None:
    server = await with_alice(start, *models)
    assert len(by_id((await server.get("/api/First/models", **ALICE)).json())) == listed


async def test_an_upstream_is_asked_for_its_models(start: Start, upstream: Upstream) -> None:
    server = await start(entry(OpenAICompatible(base_url=upstream.base_url), "work"))
    listed = by_id((await server.get("/api/work/models")).json())
    assert "gpt-4o-mini" in listed
    assert listed["gpt-4o-mini"]["owned_by"] == "fake"
    assert listed["gpt-4o-mini"]["created"] == 1_700_000_000
    await server.get("/api/work/models")
    asked = [one for one in await upstream.records() if one["path"] == "/v1/models"]
    assert len(asked) == 1
    assert "gpt-4o-mini" in by_id((await server.get("/v1/models")).json())


async def test_an_upstream_that_is_not_there_has_no_models(start: Start) -> None:
    server = await start(entry(OpenAICompatible(base_url="http://127.0.0.1:9/v1"), "gone"))
    answer = await server.get("/api/gone/models")
    assert (answer.status, answer.json()["data"]) == (200, [])


async def test_a_listing_waits_for_nobody(start: Start, upstream: Upstream) -> None:
    """It tells what is known; the upstreams are asked beside it."""
    server = await start(entry(OpenAICompatible(base_url=upstream.full), "hangs"), entry(Script()))
    assert "small" in by_id((await server.get("/v1/models")).json())
    assert server.app[GATEWAY].now.catalog is not None
