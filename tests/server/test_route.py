"""POST /v1/route."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.models import Capability, ModelInfo
from g4f_aio.core.record import RequestRecord
from g4f_aio.keys import LEDGER
from g4f_aio.settings import KeySettings, ModelTarget, RoutingSettings, Settings
from g4f_aio.settings.secret import SecretStr
from tests.e2e.wire import Answer
from tests.server.conftest import QUIET, Start
from tests.server.fakes import CHAT, HELLO, Keyed, Record, Script, Seeing, Server, entry
from tests.server.test_openapi import check

ROUTE = "/v1/route"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def chained(*links: ModelTarget) -> Settings:
    """Settings with the chain ``best``."""
    return attrs.evolve(QUIET, models={"best": links})


async def explained(server: Server, **fields: Any) -> dict[str, Any]:
    """The explanation of a chat with these fields."""
    answer = await server.ask("POST", ROUTE, json={**HELLO, **fields})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    check(found, "Route")
    return found


def turns(found: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    """Who is asked, for what and when."""
    return [(one["provider"], one["model"], one["asked"]) for one in found["candidates"]]


async def test_it_has_the_documented_shape(start: Start) -> None:
    settings = chained(ModelTarget("script", "small", when="ttft < 3"), ModelTarget("locked"))
    server = await start(entry(Script()), entry(Keyed(), "locked"), settings=settings)
    assert await explained(server, model="best") == {
        "object": "route",
        "model": "best",
        "provider": None,
        "needs": ["chat"],
        "rule": "the chain of best in the settings",
        "candidates": [
            {
                "provider": "script",
                "model": "small",
                "asked": "first",
                "why": None,
                "emulated": [],
                "wait_ms": 0,
                "condition": {"when": "ttft < 3", "values": {"ttft": None}},
                "health": {
                    "state": "unknown",
                    "last_ok": None,
                    "last_error": None,
                    "success_rate": None,
                    "ttft_ms": None,
                    "tokens_per_s": None,
                },
            },
            {
                "provider": "locked",
                "model": "best",
                "asked": "left_out",
                "why": "Provider locked is not configured; it needs an API key: set "
                "LOCKED_API_KEY, or api_key in [providers.locked]",
                "emulated": [],
                "wait_ms": None,
                "condition": None,
                "health": None,
            },
        ],
        "error": None,
    }


async def test_what_would_be_supplied_is_told(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(record=record)))
    tools = [{"type": "function", "function": {"name": "f"}}]
    found = await explained(server, tools=tools, n=2, stop="END")
    assert found["candidates"][0]["emulated"] == ["tools", "n"]
    answer = await server.chat({**HELLO, "tools": tools, "n": 2, "stop": "END"})
    assert answer.headers["x-emulated"] == "tools, n"


async def test_nobody_is_asked(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(record=record)))
    assert turns(await explained(server, stream=True)) == [("script", "small", "first")]
    assert record.requests == []
    assert (await server.get("/v1/providers/script")).json()["health"]["state"] == "unknown"


async def test_what_was_measured_is_told(start: Start) -> None:
    steps = (UpstreamError("It broke"),)
    server = await start(entry(Script(steps=steps), "a"), entry(Script(), "b"))
    assert (await server.chat({**HELLO, "model": "small"})).status == 200
    found = await explained(server, model="small")
    assert turns(found) == [("b", "small", "first"), ("a", "small", "then")]
    b, a = found["candidates"]
    assert a["why"] == "a failed just now"
    assert (a["health"]["state"], a["health"]["last_error"]) == ("failing", "It broke")
    assert (b["health"]["state"], b["health"]["success_rate"]) == ("ok", 1.0)


class Log:
    """Keeps the records of requests."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []

    def ended(self, record: RequestRecord) -> None:
        self.records.append(record)


async def test_the_record_of_a_request_gives_the_same_reasons(start: Start) -> None:
    steps = (UpstreamError("It broke"),)
    models = (ModelTarget("a", "small"), ModelTarget("b", "small"))
    settings = attrs.evolve(chained(*models), routing=attrs.evolve(QUIET.routing, retries=0))
    server = await start(
        entry(Script(steps=steps), "a"), entry(Script(steps=steps), "b"), settings=settings
    )
    log = Log()
    server.app[LEDGER].tell(log)
    for _ in range(2):
        assert (await server.chat({**HELLO, "model": "best"})).status == 502
    why = [[attempt.why for attempt in record.attempts] for record in log.records]
    assert why == [["", ""], ["a failed just now", "b failed just now"]]


async def test_what_the_answer_takes_counts(start: Start) -> None:
    blind = ModelInfo("m", Capability.CHAT)
    server = await start(
        entry(Script(listed=(blind,)), "words"), entry(Seeing(listed=(ModelInfo("m"),)), "eyes")
    )
    content = [{"type": "text", "text": "What is it?"}, PICTURE]
    found = await explained(server, model="m", messages=[{"role": "user", "content": content}])
    assert found["needs"] == ["chat", "vision"]
    assert turns(found) == [("eyes", "m", "first"), ("words", "m", "left_out")]
    assert found["candidates"][1]["why"] == "m of words cannot supply: vision"


@pytest.mark.parametrize(
    ("fields", "error", "candidates"),
    [
        (
            {"model": "unheard-of"},
            {
                "message": "Model 'unheard-of' not found. GET /v1/models lists them.",
                "type": "model_not_found",
                "param": "model",
                "code": "model_not_found",
                "status": 404,
            },
            [],
        ),
        (
            {
                "model": "small",
                "tools": [{"type": "function", "function": {"name": "f"}}],
                "emulate": False,
            },
            {
                "message": "script cannot supply: tools",
                "type": "invalid_request_error",
                "param": "tools",
                "code": "unsupported_parameter",
                "status": 400,
            },
            [("script", "small", "left_out")],
        ),
    ],
)
async def test_the_error_that_a_chat_would_get_is_told(
    server: Server,
    fields: dict[str, Any],
    error: dict[str, Any],
    candidates: list[tuple[str, str, str]],
) -> None:
    found = await explained(server, **fields)
    assert found["error"] == error
    assert turns(found) == candidates
    chat = await server.chat({**HELLO, **fields})
    assert {**chat.error(), "status": chat.status} == error


async def test_a_chain_whose_conditions_do_not_hold_is_503_and_names_them(start: Start) -> None:
    server = await start(settings=chained(ModelTarget("script", "small", when="calls > 2")))
    found = await explained(server, model="best")
    assert found["error"] == {
        "message": "No provider can be asked now: script is asked only when calls > 2 (calls is 0)",
        "type": "server_error",
        "param": None,
        "code": "no_provider_available",
        "status": 503,
    }
    assert found["candidates"][0]["wait_ms"] is None
    chat = await server.chat({**HELLO, "model": "best"})
    assert (chat.status, chat.error()["code"]) == (503, "no_provider_available")
    assert chat.headers["retry-after"] == "1"


# the caller


async def test_his_own_key_counts_and_is_not_shown(start: Start) -> None:
    server = await start(entry(Keyed(), "locked", chosen=False), api_key="server-key")

    async def ask(bearer: str, **fields: Any) -> Answer:
        body = {**HELLO, "model": "small", "provider": "locked", **fields}
        headers = {"Authorization": f"Bearer {bearer}"}
        return await server.ask("POST", ROUTE, json=body, headers=headers)

    without = await ask("server-key")
    assert turns(without.json()) == [("locked", "small", "left_out")]
    assert without.json()["error"]["code"] == "provider_auth_failed"
    for answer in (
        await ask("server-key", api_key="sk-canary"),
        await ask("server-key", api_key={"locked": "sk-canary"}),
        await ask("server-key sk-canary"),
    ):
        assert turns(answer.json()) == [("locked", "small", "first")]
        assert b"canary" not in answer.body
    assert (await ask("wrong")).status == 401


async def test_he_is_told_nothing_of_models_that_he_may_not_ask_for(start: Start) -> None:
    alice = KeySettings(key=SecretStr("alice"), models=("small",), requests_per_minute=2)
    server = await start(settings=attrs.evolve(QUIET, keys={"alice": alice}))

    async def ask(path: str, model: str) -> Answer:
        headers = {"Authorization": "Bearer alice"}
        return await server.ask("POST", path, json={**HELLO, "model": model}, headers=headers)

    refused = await ask(ROUTE, "large")
    assert (refused.status, refused.error()["code"]) == (403, "insufficient_permissions")
    for _ in range(3):
        assert turns((await ask(ROUTE, "small")).json()) == [("script", "small", "first")]
    assert (await ask(CHAT, "small")).status == 200, "to ask who would be asked costs no quota"


async def test_he_may_not_name_a_proxy_where_a_chat_may_not(start: Start) -> None:
    body = {**HELLO, "proxy": "socks5://127.0.0.1:9"}
    server = await start()
    answer = await server.ask("POST", ROUTE, json=body)
    assert (answer.status, answer.error()["param"]) == (400, "proxy")


@pytest.mark.parametrize("body", [{}, {"messages": []}, {**HELLO, "stream": "no"}])
async def test_a_body_that_is_no_chat_is_refused(server: Server, body: dict[str, Any]) -> None:
    answer = await server.ask("POST", ROUTE, json=body)
    assert answer.status == 400
    assert answer.error()["type"] == "invalid_request_error"


async def test_those_that_lack_something_are_told_of_an_open_choice(start: Start) -> None:
    settings = Settings(routing=RoutingSettings(detect_local=False, ignored_providers=("ignored",)))
    server = await start(
        entry(Script()), entry(Script(), "ignored"), entry(Keyed(), "locked"), settings=settings
    )
    found = await explained(server)
    assert turns(found) == [
        ("script", "small", "first"),
        ("ignored", None, "left_out"),
        ("locked", None, "left_out"),
    ]
