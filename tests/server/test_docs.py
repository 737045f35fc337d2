"""GET /openapi.json, /docs and its pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import g4f_aio
from g4f_aio.server.docs import PAGES
from tests.server.conftest import Start
from tests.server.fakes import Server

FOLDER = Path(g4f_aio.__file__).parent / "docs"
TITLES = {
    file.stem: file.read_text("utf-8").splitlines()[0].removeprefix("# ")
    for file in FOLDER.iterdir()
}
PATHS = ["/docs", *(f"/docs/{name}" for name in PAGES)]


def test_every_file_of_the_documentation_is_a_page() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(PAGES)


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_html_that_can_do_nothing(server: Server, path: str) -> None:
    answer = await server.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.body.startswith(b"<!doctype html>")
    assert b"<script" not in answer.body


async def test_the_pages_are_found_from_each_other(server: Server) -> None:
    for path in PATHS:
        body = (await server.get(path)).body.decode()
        for other in PATHS:
            assert f'href="{other}"' in body


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_its_file(server: Server, name: str) -> None:
    assert f">{TITLES[name]}</h1>" in (await server.get(f"/docs/{name}")).body.decode()


async def test_the_first_page_shows_the_api(server: Server) -> None:
    assert "POST /v1/chat/completions" in (await server.get("/docs")).body.decode()


@pytest.mark.parametrize(
    "name",
    [
        "none", "Index", "index.md", "..", "../docs/index", "%2e%2e%2fdocs%2findex", "..%2f..%2fsetup",
        "index%00", "index%0a", "/etc/passwd", "%2fetc%2fpasswd", "index%2f..%2findex",
    ],
)  # fmt: skip
async def test_what_is_no_page_is_not_found(server: Server, name: str) -> None:
    request = f"GET /docs/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = await server.raw(request.encode())
    assert answer.status == 404
    assert answer.error()["code"] == "unknown_url"


async def test_an_unknown_page_is_told_which_there_are(server: Server) -> None:
    message = (await server.get("/docs/runing")).error()["message"]
    assert message == (
        "No page 'runing'; there are: index, running, providers, plugins, api, troubleshooting"
    )


async def test_with_a_key_the_documentation_needs_it_too(start: Start) -> None:
    server = await start(api_key="your-secret-key")
    for path in (*PATHS, "/openapi.json"):
        assert (await server.get(path)).status == 401
        assert (await server.get(path, **{"x-api-key": "your-secret-key"})).status == 200


def test_markdown_is_not_loaded_before_a_page_is_asked_for() -> None:
    """It takes longer to import than the rest of the server."""
    program = "import sys, g4f_aio.app; sys.exit('markdown_it' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
