"""Images and files by URL, from a client to the body that each kind of upstream gets."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import attrs
import orjson
import pytest
from aiohttp import web

from g4f_aio.app import reload_app
from g4f_aio.core.provider import Provider
from g4f_aio.gateway.registry import Registry
from g4f_aio.keys import FETCH
from g4f_aio.providers.anthropic import Anthropic
from g4f_aio.providers.cloudflare import Cloudflare
from g4f_aio.providers.gemini import Gemini
from g4f_aio.providers.local_servers import LMStudio, Ollama
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.settings import FetchSettings, Settings
from tests.conftest import Fake, Serve
from tests.server.conftest import QUIET, Start, starting
from tests.server.fakes import Script, Server, entry

PNG = b"\x89PNG\r\n\x1a\n" + bytes(10)
PDF = b"%PDF-1.7\n"
IMAGE = base64.b64encode(PNG).decode()
FILE = base64.b64encode(PDF).decode()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start servers for one test."""
    async with starting() as begin:
        yield begin


@pytest.fixture
async def files(serve: Serve) -> Fake:
    """A web server with a picture, a document and a page."""

    def of(body: bytes) -> Any:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body)

        return answer

    return await serve({"/a.png": of(PNG), "/a.pdf": of(PDF), "/page.png": of(b"<html>")})


@pytest.fixture
async def upstream(serve: Serve) -> Fake:
    """An upstream that answers nothing sensible; what it was asked is what counts."""
    return await serve({})


def allowing(*sites: Fake, **fetch: Any) -> Settings:
    """Settings under which these may be fetched from."""
    allow = tuple(site.root.removeprefix("http://") for site in sites)
    return attrs.evolve(QUIET, fetch=FetchSettings(allow=allow, **fetch))


async def asked(start: Start, files: Fake, provider: Provider, body: dict[str, Any]) -> Server:
    """A server with that one provider, once it was asked by a chat."""
    server = await start(entry(provider, "one", api_key="sk-1"), settings=allowing(files))
    await server.client.post(f"http://{server.address}/v1/chat/completions", json=body)
    return server


def chat(*parts: dict[str, Any]) -> dict[str, Any]:
    """A message of these parts."""
    return {"model": "one:m", "messages": [{"role": "user", "content": list(parts)}]}


def picture(url: str) -> dict[str, Any]:
    """A picture by URL."""
    return {"type": "image_url", "image_url": {"url": url}}


def posted(upstream: Fake) -> list[web.Request]:
    """The chats that it was asked for; it is asked for its models, too."""
    return [request for request in upstream.requests if request.method == "POST"]


async def body_of(upstream: Fake) -> str:
    """What the upstream was asked last, as text."""
    return (await posted(upstream)[-1].read()).decode()


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (Gemini, {}),
        (Ollama, {}),
        (Ollama, {"num_ctx": 100}),
        (LMStudio, {}),
        (Cloudflare, {}),
        (OpenAICompatible, {"fetch_urls": True}),
    ],
)
async def test_who_takes_no_urls_gets_the_picture(
    start: Start, files: Fake, upstream: Fake, cls: Any, options: dict[str, Any]
) -> None:
    provider = cls(base_url=upstream.root, **options)
    await asked(start, files, provider, chat(picture(f"{files.root}/a.png")))
    body = await body_of(upstream)
    assert IMAGE in body
    assert files.root not in body
    assert files.paths == ["/a.png"]


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (OpenAICompatible, {}),
        (Anthropic, {}),
        (Gemini, {"fetch_urls": False}),
        (LMStudio, {"fetch_urls": False}),
    ],
)
async def test_others_get_the_url(
    start: Start, files: Fake, upstream: Fake, cls: Any, options: dict[str, Any]
) -> None:
    provider = cls(base_url=upstream.root, **options)
    await asked(start, files, provider, chat(picture(f"{files.root}/a.png")))
    assert f"{files.root}/a.png" in await body_of(upstream)
    assert files.paths == []


@pytest.mark.parametrize(
    "url", ["https://generativelanguage.googleapis.com/v1beta/files/a", "https://youtu.be/a"]
)
async def test_google_fetches_what_it_has_itself(
    start: Start, files: Fake, upstream: Fake, url: str
) -> None:
    await asked(start, files, Gemini(base_url=upstream.root), chat(picture(url)))
    assert url in await body_of(upstream)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/responses",
            {
                "model": "one:m",
                "input": [
                    {
                        "role": "user",
                        "content": [{"type": "input_file", "file_url": "ROOT/a.pdf"}],
                    }
                ],
            },
        ),
        (
            "/v1/messages",
            {
                "model": "one:m",
                "max_tokens": 9,
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "document", "source": {"type": "url", "url": "ROOT/a.pdf"}}
                        ],
                    }
                ],
            },
        ),
    ],
)
async def test_files_by_url_become_files_where_the_dialect_has_no_word_for_that(
    start: Start, files: Fake, upstream: Fake, path: str, body: dict[str, Any]
) -> None:
    sent = orjson.dumps(body).replace(b"ROOT", files.root.encode())
    provider = OpenAICompatible(base_url=f"{upstream.root}/v1")
    server = await start(entry(provider, "one"), settings=allowing(files))
    await server.client.post(
        f"http://{server.address}{path}", data=sent, headers={"content-type": "application/json"}
    )
    [part] = orjson.loads(await body_of(upstream))["messages"][-1]["content"]
    data = f"data:application/pdf;base64,{FILE}"
    assert part == {"type": "file", "file": {"file_data": data, "filename": "a.pdf"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/responses",
            {
                "input": [
                    {
                        "role": "user",
                        "content": [{"type": "input_file", "file_url": "https://a/b.pdf"}],
                    }
                ],
            },
        ),
        ("/v1/chat/completions", chat({"type": "file", "file": {"file_data": "https://a/b.pdf"}})),
    ],
)
async def test_and_stay_what_they_are_where_the_upstream_speaks_the_same(
    start: Start, upstream: Fake, path: str, body: dict[str, Any]
) -> None:
    provider = OpenAICompatible(base_url=f"{upstream.root}/v1", responses=True)
    server = await start(entry(provider, "one"), settings=QUIET)
    sent = body | {"model": "one:m"}
    await server.client.post(f"http://{server.address}{path}", json=sent)
    assert orjson.loads(await body_of(upstream)) == sent | {"model": "m"}
    assert posted(upstream)[-1].path == path


async def test_a_file_by_url_stays_one_for_anthropic(start: Start, upstream: Fake) -> None:
    source = {"type": "url", "url": "https://a/b"}
    content = [{"type": "document", "source": source}]
    body = {"model": "one:m", "max_tokens": 9, "messages": [{"role": "user", "content": content}]}
    provider = Anthropic(base_url=upstream.root)
    server = await start(entry(provider, "one", api_key="sk-1"), settings=QUIET)
    await server.client.post(f"http://{server.address}/v1/messages", json=body)
    assert orjson.loads(await body_of(upstream))["messages"] == body["messages"]


async def refused(server: Server, url: str) -> tuple[int, dict[str, Any]]:
    """What a client sees whose picture is at *url*."""
    answer = await server.client.post(
        f"http://{server.address}/v1/chat/completions",
        json=chat({"type": "text", "text": "Hi"}, picture(url)),
    )
    return answer.status, (await answer.json())["error"]


async def test_what_cannot_be_fetched_is_told_with_its_field(
    start: Start, files: Fake, upstream: Fake, serve: Serve
) -> None:
    canary = await serve({})
    provider = Gemini(base_url=upstream.root)
    server = await start(entry(provider, "one", api_key="sk-1"), settings=allowing(files))
    param = "messages[0].content[1].image_url.url"
    for url, status, code in (
        (canary.root, 400, "url_blocked"),
        ("http://169.254.169.254/latest/meta-data/", 400, "url_blocked"),
        ("http://localhost:1/", 400, "url_blocked"),
        (f"{files.root}/page.png", 400, "invalid_media_type"),
        (f"{files.root}/missing.png", 502, "fetch_failed"),
    ):
        found, error = await refused(server, url)
        assert (found, error["code"], error["param"]) == (status, code, param)
        assert error["message"].startswith(f"$.{param}: ")
    assert canary.requests == []
    assert posted(upstream) == []


async def test_a_reload_changes_what_may_be_fetched(
    start: Start, files: Fake, upstream: Fake
) -> None:
    one = entry(Gemini(base_url=upstream.root), "one", api_key="sk-1")
    server = await start(one, settings=QUIET)
    assert (await refused(server, f"{files.root}/a.png"))[1]["code"] == "url_blocked"
    settings = allowing(files)
    reload_app(server.app, settings, Registry.of(one, settings=settings))
    assert (await refused(server, f"{files.root}/a.png"))[1]["code"] != "url_blocked"
    assert files.paths == ["/a.png"]
    settings = allowing(files, urls=False)
    reload_app(server.app, settings, Registry.of(one, settings=settings))
    status, error = await refused(server, f"{files.root}/a.png")
    assert (status, error["code"]) == (400, "url_blocked")
    assert "fetch.urls" in error["message"]


async def test_other_parts_and_providers_have_the_same_way_out(start: Start, files: Fake) -> None:
    script = Script()
    server = await start(entry(script), settings=allowing(files))
    found = await server.app[FETCH](f"{files.root}/a.png", limit=100)
    assert (found.media_type, found.data) == ("image/png", PNG)
    await server.client.post(
        f"http://{server.address}/v1/chat/completions",
        json={"model": "small", "messages": [{"role": "user", "content": "Hi"}]},
    )
    assert script.record.contexts[0].fetch is server.app[FETCH]
