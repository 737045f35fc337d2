"""GET /v1/providers and /v1/providers/{provider}."""

from __future__ import annotations

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.gateway.breaker import IN_A_ROW
from g4f_aio.gateway.health import LONGEST_LOCAL
from g4f_aio.keys import GATEWAY
from g4f_aio.providers.offline_assistant import OfflineAssistant
from tests.server.conftest import Start
from tests.server.fakes import STREAM, Keyed, Script, Seeing, Server, entry

UNKNOWN = {
    "state": "unknown",
    "last_ok": None,
    "last_error": None,
    "success_rate": None,
    "ttft_ms": None,
    "tokens_per_s": None,
}


async def test_a_provider_has_the_documented_shape(start: Start) -> None:
    drawn = ModelInfo("drawn", Capability.IMAGE)
    server = await start(entry(Seeing(listed=(ModelInfo("seen"), drawn)), "eyes"))
    assert (await server.get("/v1/providers/eyes")).json() == {
        "provider": "eyes",
        "id": "eyes",
        "object": "provider",
        "created": 0,
        "label": "A script",
        "description": "Does as it is told",
        "url": "https://example.org",
        "models": ["seen", "drawn"],
        "image_models": ["drawn"],
        "vision_models": ["seen"],
        "working": True,
        "configured": True,
        "auth": False,
        "stream": False,
        "capabilities": ["chat", "vision"],
        "missing": None,
        "error": None,
        "plugin": {"type": "script", "distribution": "tests", "version": "1.0"},
        "health": {**UNKNOWN, "models": {}},
    }


async def test_all_are_listed_and_a_broken_one_with_its_reason(start: Start) -> None:
    why = "acme:Acme cannot be imported: ModuleNotFoundError: No module named 'acme'"
    server = await start(
        entry(Script(), "good"),
        entry(None, "broken", error=why),
        entry(Keyed(), "locked"),
        entry(Script(), "off", enabled=False),
        entry(Script(listed=()), "not-there", chosen=False),
    )
    listed = (await server.get("/v1/providers")).json()
    assert listed["object"] == "list"
    found = {one["id"]: one for one in listed["data"]}
    assert list(found) == ["good", "broken", "locked", "off", "not-there"]
    assert [one["working"] for one in listed["data"]] == [True, False, False, False, False]
    assert [one["configured"] for one in listed["data"]][:4] == [True, False, False, False]
    broken = found["broken"]
    assert broken["error"] == why
    assert broken["health"]["state"] == "broken"
    assert (broken["label"], broken["models"], broken["capabilities"]) == ("broken", [], [])
    assert found["locked"]["auth"] is True
    assert "LOCKED_API_KEY" in found["locked"]["missing"]
    assert "none was found" in found["not-there"]["missing"]


async def test_one_is_found_in_any_case_of_letters_and_as_in_the_listing(server: Server) -> None:
    (listed,) = (await server.get("/v1/providers")).json()["data"]
    for name in ("script", "Script", "SCRIPT/"):
        assert (await server.get(f"/v1/providers/{name}")).json() == listed


async def test_an_unknown_one_is_not_found(server: Server) -> None:
    for name in ("none", "%0d%0aX-Evil:%201", "a%2Fb"):
        answer = await server.get(f"/v1/providers/{name}")
        assert answer.status == 404
        error = answer.error()
        assert (error["type"], error["code"]) == ("provider_not_found", "provider_not_found")


async def test_its_health_is_that_of_its_last_calls(start: Start) -> None:
    failing = entry(Script(steps=(UpstreamError("It broke"),)), "failing")
    server = await start(entry(Script(), "fine"), failing)
    for name in ("fine", "fine", "failing"):
        await server.chat({**STREAM, "provider": name})
    fine = (await server.get("/v1/providers/fine")).json()["health"]
    assert (fine["state"], fine["success_rate"]) == ("ok", 1.0)
    assert fine["last_ok"] > 1_700_000_000
    assert isinstance(fine["ttft_ms"], int)
    failed = (await server.get("/v1/providers/failing")).json()["health"]
    told = {**UNKNOWN, "state": "failing", "last_error": "It broke", "success_rate": 0.0}
    assert failed == {**told, "models": {"small": told}}


async def test_each_model_that_was_asked_has_a_health_of_its_own(start: Start) -> None:
    steps = (TextDelta("One"), 0.06, TextDelta(" two"), Finish())
    server = await start(entry(Script(steps=steps)), entry(Script(), "other"))
    for model in ("script:small", "script:large", "other:small"):
        await server.chat({**STREAM, "model": model})
    health = (await server.get("/v1/providers/script")).json()["health"]
    assert set(health["models"]) == {"small", "large"}
    assert {one["state"] for one in health["models"].values()} == {"ok"}
    assert health["models"]["small"]["tokens_per_s"] > 0
    assert health["tokens_per_s"] > 0


async def test_who_is_left_alone_is_open(start: Start) -> None:
    server = await start(entry(Script(steps=(UpstreamError("It broke"),))))
    for _ in range(IN_A_ROW):
        await server.chat()
    health = (await server.get("/v1/providers/script")).json()["health"]
    assert health["models"]["small"]["state"] == "open"


async def test_to_look_at_a_local_server_does_not_make_it_a_distant_one(start: Start) -> None:
    server = await start(entry(OfflineAssistant(), "OfflineAssistant"))
    await server.get("/v1/providers/OfflineAssistant")
    record = server.app[GATEWAY].health.of("OfflineAssistant")
    assert record.breaker._longest == LONGEST_LOCAL


async def test_keys_are_told_to_nobody(start: Start) -> None:
    server = await start(entry(Keyed(), "locked", api_key="sk-canary-4711"))
    for path in ("/v1/providers", "/v1/providers/locked", "/v1/models", "/api/locked/models"):
        assert b"canary" not in (await server.get(path)).body
