"""How servers on this machine are told apart, and what they tell of their models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from g4f_aio import CallContext, Capability, ModelInfo, UpstreamError
from g4f_aio.gateway.plugins import find_plugins, load_class
from g4f_aio.providers.local_servers import (
    LOCAL_SERVERS,
    VLLM,
    LlamaCpp,
    LMStudio,
    LocalAI,
    LocalServer,
    Ollama,
)
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client

if TYPE_CHECKING:
    from tests.conftest import Fake

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]
CHAT = Capability.CHAT | Capability.STREAM


def context(session: Pool, credential: str | None = None) -> CallContext:
    """What a call may use."""
    return CallContext(Client(session, "here", 1.0, 1.0, 2**16), "here", credential)


def health(server: str, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    """``GET /health`` of something that calls itself *server*."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"}, status=status, headers={"Server": server})

    return answer


async def page(_: web.Request) -> web.Response:
    """A page of HTML."""
    return web.Response(text="<html>It works!</html>", content_type="text/html")


async def huge(_: web.Request) -> web.Response:
    """A version, in more bytes than any server would need for it."""
    return web.json_response({"version": "1" * 2_000_000})


LM_STUDIO_1 = {
    "models": [
        {"type": "embedding", "key": "nomic", "max_context_length": 2048, "loaded_instances": []},
        {"type": "llm", "key": "idle", "max_context_length": 8192, "loaded_instances": []},
        {
            "type": "llm",
            "key": "loaded",
            "max_context_length": 4096,
            "loaded_instances": [{"id": "loaded"}],
            "capabilities": {"vision": True, "trained_for_tool_use": True},
        },
    ]
}
LM_STUDIO_0 = {
    "object": "list",
    "data": [
        {"id": "nomic", "type": "embeddings", "state": "loaded", "max_context_length": 2048},
        {"id": "idle", "type": "llm", "state": "not-loaded", "max_context_length": 8192},
        {"id": "seeing", "type": "vlm", "state": "loaded", "max_context_length": 4096},
    ],
}
LOCAL_AI = {"version": "v3.6.0", "endpoints": {"models": "/v1/models"}, "capabilities": {}}
OPENAI_LIST = {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "me"}]}
VLLM_LIST = {"object": "list", "data": [{"id": "m", "owned_by": "vllm", "max_model_len": 4096}]}


@pytest.mark.parametrize("cls", LOCAL_SERVERS)
def test_it_is_local_needs_no_key_and_has_its_address(cls: type[LocalServer]) -> None:
    server = cls()
    assert server.local
    assert server.key == "optional"
    assert server.missing() is None
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.root == server.base_url.removesuffix("/v1")


@pytest.mark.parametrize("cls", LOCAL_SERVERS)
def test_it_is_installed_under_its_name(cls: type[LocalServer]) -> None:
    assert load_class(find_plugins()[cls.name]) is cls


@pytest.mark.parametrize(
    ("cls", "answers"),
    [
        (Ollama, {"/api/version": {"version": "0.12.6"}}),
        (LlamaCpp, {"/health": health("llama.cpp")}),
        (LMStudio, {"/api/v1/models": LM_STUDIO_1}),
        (LMStudio, {"/api/v0/models": LM_STUDIO_0}),
        (VLLM, {"/version": {"version": "0.11.0"}, "/v1/models": VLLM_LIST}),
        (LocalAI, {"/.well-known/localai.json": LOCAL_AI}),
    ],
)
async def test_it_is_recognised_by_its_own_mark_alone(
    cls: type[LocalServer], answers: Mapping[str, object], session: Pool, serve: Serve
) -> None:
    fake = await serve(answers)
    for other in LOCAL_SERVERS:
        server = other(base_url=f"{fake.root}/v1")
        assert await server.recognise(context(session)) is (other is cls)


@pytest.mark.parametrize(
    ("cls", "answers"),
    [
        (Ollama, {"/api/version": {"error": "Unexpected endpoint"}}),
        (Ollama, {"/api/version": {"version": 12}}),
        (Ollama, {"/api/version": ["0.12.6"]}),
        (Ollama, {"/api/version": page}),
        (Ollama, {"/api/version": huge}),
        (LlamaCpp, {"/health": health("nginx")}),
        (LlamaCpp, {"/health": health("llama.cpp", status=503)}),
        (LMStudio, {"/api/v1/models": {"error": "Unexpected endpoint or method."}}),
        (LMStudio, {"/api/v1/models": {"models": []}}),
        (LMStudio, {"/api/v1/models": {"models": ["m"]}}),
        (LMStudio, {"/api/v1/models": {"models": [{"key": "m", "max_context_length": 1}]}}),
        (LMStudio, {"/api/v1/models": OPENAI_LIST}),
        (LMStudio, {"/api/v0/models": OPENAI_LIST}),
        (VLLM, {"/version": {"version": "1"}, "/v1/models": OPENAI_LIST}),
        (VLLM, {"/version": {"version": "1"}, "/v1/models": {"data": []}}),
        (VLLM, {"/v1/models": VLLM_LIST}),
        (LocalAI, {"/.well-known/localai.json": {"version": "v3.6.0"}}),
    ],
)
async def test_something_like_it_is_not_it(
    cls: type[LocalServer], answers: Mapping[str, object], session: Pool, serve: Serve
) -> None:
    fake = await serve(answers)
    assert not await cls(base_url=f"{fake.root}/v1").recognise(context(session))


@pytest.mark.parametrize("cls", LOCAL_SERVERS)
async def test_a_look_takes_no_key_along(
    cls: type[LocalServer], session: Pool, serve: Serve
) -> None:
    fake = await serve({})
    await cls(base_url=f"{fake.root}/v1").recognise(context(session, "sk-secret"))
    assert fake.requests
    for request in fake.requests:
        assert "sk-secret" not in str(request.headers)


@pytest.mark.parametrize("cls", LOCAL_SERVERS)
async def test_where_nobody_listens_is_an_error(cls: type[LocalServer], session: Pool) -> None:
    with pytest.raises(UpstreamError, match="cannot connect"):
        await cls(base_url="http://127.0.0.1:1/v1").recognise(context(session))


# models


async def test_lm_studio_lists_what_is_loaded_first(session: Pool, serve: Serve) -> None:
    fake = await serve({"/api/v1/models": LM_STUDIO_1})
    found = await LMStudio(base_url=f"{fake.root}/v1").fetch_models(context(session))
    can = CHAT | Capability.TOOLS  # its server writes the prompts for those that were not taught
    assert found == (
        ModelInfo("loaded", capabilities=can | Capability.VISION, context_length=4096),
        ModelInfo("nomic", capabilities=Capability.EMBEDDINGS, context_length=2048),
        ModelInfo("idle", capabilities=can, context_length=8192),
    )


async def test_an_older_lm_studio_does_as_well(session: Pool, serve: Serve) -> None:
    fake = await serve({"/api/v0/models": LM_STUDIO_0})
    found = await LMStudio(base_url=f"{fake.root}/v1").fetch_models(context(session))
    assert [model.id for model in found] == ["nomic", "seeing", "idle"]
    assert [model.id for model in found if model.may_be_default] == ["seeing", "idle"]


async def test_local_ai_has_models_for_more_than_chat(session: Pool, serve: Serve) -> None:
    listed = [
        {"id": "whisper-1", "capabilities": ["transcript"]},
        {"id": "flux", "capabilities": ["image"]},
        {"id": "embed", "capabilities": ["embeddings", "rerank"]},
        {"id": "odd", "capabilities": ["face_recognition"]},
        {"id": "qwen", "capabilities": ["chat", "vision", "tools", 5]},
        {"id": "unknown", "capabilities": []},
        {"object": "model"},
    ]
    fake = await serve({"/v1/models/capabilities": {"object": "list", "data": listed}})
    found = await LocalAI(base_url=f"{fake.root}/v1").fetch_models(context(session))
    assert [model.id for model in found] == [
        "whisper-1",
        "flux",
        "embed",
        "odd",
        "qwen",
        "unknown",
    ]
    assert [model.id for model in found if model.may_be_default] == ["qwen", "unknown"]


@pytest.mark.parametrize("cls", LOCAL_SERVERS)
async def test_a_server_without_such_a_list_has_openais(
    cls: type[LocalServer], session: Pool, serve: Serve
) -> None:
    fake = await serve({"/v1/models": VLLM_LIST})
    found = await cls(base_url=f"{fake.root}/v1").fetch_models(context(session))
    assert found == (ModelInfo("m", owned_by="vllm", context_length=4096),)


@pytest.mark.parametrize("cls", LOCAL_SERVERS)
async def test_who_configured_a_key_lists_models_with_it(
    cls: type[LocalServer], session: Pool, serve: Serve
) -> None:
    fake = await serve({"/v1/models": OPENAI_LIST})
    await cls(base_url=f"{fake.root}/v1").fetch_models(context(session, "k"))
    assert {request.headers["authorization"] for request in fake.requests} == {"Bearer k"}
