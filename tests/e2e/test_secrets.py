"""Secrets of every kind, from everywhere, are in no log line and in no answer."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.wire import Answer, post, read

SETTINGS = """
[server]
api_key = "canary-server"

[upstream]
allow_request_proxy = true

[routing]
provider = "work"
detect_local = false
retries = {retries}

[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
api_key = "canary-literal"
headers = {{ "X-Auth-Token" = "canary-header" }}
models = ["echo"]

[providers.filed]
type = "openai-compatible"
base_url = "{base_url}"
api_key = {{ file = "secret" }}

[providers.named]
type = "openai-compatible"
base_url = "{base_url}"
api_key = {{ env = "SOME_SECRET" }}

[providers.spare]
type = "openai-compatible"
base_url = "{base_url}"

[providers.several]
type = "openai-compatible"
base_url = "{base_url}"
api_keys = ["canary-first", {{ env = "SECOND_SECRET" }}, {{ file = "third" }}]

[providers.far]
type = "openai-compatible"
base_url = "http://gateway.invalid/v1"
api_key = "canary-far"
models = ["echo"]

[providers.clumsy]
type = "Clumsy"
token = "canary-token"
"""
CLUMSY = """
import attrs
import logging
from g4f_aio import ModelInfo, Provider

@attrs.frozen(kw_only=True)
class Clumsy(Provider):
    name = "Clumsy"
    token: str = ""

    def models(self):
        return (ModelInfo("clumsy"),)

    async def chat(self, request, ctx):
        logging.getLogger("clumsy").warning("calling with %s", {"deep": [self.token]})
        raise RuntimeError(f"the token {self.token} was refused")
        yield
"""
ENVIRON = {
    "SOME_SECRET": "canary-variable",
    "SECOND_SECRET": "canary-second",
    "SPARE_API_KEY": "canary-spare",
    "UNUSED_API_KEY": "canary-unused",
    "G4F_PROXY": "http://user:canary-proxy@127.0.0.1:9",
}
CANARY = re.compile(r".{,80}canary-[a-z-]+")
PROMPT = "a very private matter"
#: the last one has the key left alone for every model
LEAKS = (
    "leak-400",
    "leak-403",
    "leak-404",
    "leak-429",
    "leak-500",
    "leak-307",
    "leak-stream",
    "leak-401",
)


def install(directory: Path) -> str:
    """Install the clumsy provider; where that is."""
    site = directory / "site"
    information = site / "clumsy-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: clumsy\nVersion: 1.0\n", "utf-8"
    )
    (information / "entry_points.txt").write_text(
        "[g4f.providers]\nClumsy = clumsy:Clumsy\n", "utf-8"
    )
    (site / "clumsy.py").write_text(CLUMSY, "utf-8")
    return str(site)


async def provoke(
    gateway: Gateway, client: aiohttp.ClientSession, *, streamed: bool
) -> list[Answer]:
    """Whatever could make it talk; whether *streamed* or not comes first."""
    key = "canary-server"

    async def ask(model: str, key: str = key, **fields: object) -> Answer:
        return await post(client, gateway.chat, model, PROMPT, key=key, **fields)

    answers = [
        # each time under another name, as none is asked any more that fails too often
        await ask(f"{provider}:{model}@{stream}", stream=stream)
        for provider in ("work", "filed", "named", "spare", "several")
        for model in LEAKS
        for stream in (streamed, not streamed)
    ]
    requests: tuple[dict[str, object], ...] = (
        {"api_key": "canary-body"},
        {"api_key": {"work": "canary-named-body"}},
        {"provider": "far"},
        {"provider": "far", "proxy": "http://user:canary-request-proxy@127.0.0.1:9"},
        {"proxy": "canary-no-proxy"},
        {"api_key": ["canary-list"]},
        {"provider": "clumsy", "stream": True},
        {"provider": "clumsy"},
        {"key": f"{key} canary-second-word"},
        {"key": "canary-wrong"},
    )
    answers += [
        await ask(f"leak-500@{number}", **fields)  # type: ignore[arg-type]
        for number, fields in enumerate(requests)
    ]
    for name in ("g4f-api-key", "x-api-key", "api-key", "Cookie", "Authorization"):
        headers = {name: "canary-in-a-header", "Origin": "http://canary-origin.example"}
        async with client.get(f"{gateway.v1}/models?key=canary-query", headers=headers) as found:
            answers.append(await read(found))
    for path in ("/v1/models", "/v1/providers", "/api/work/models", "/openapi.json", "/nothing"):
        url = f"{gateway.url}{path}?api_key=canary-query"
        async with client.get(url, headers={"api-key": key}) as found:
            answers.append(await read(found))
    return answers


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("format_", "retries"), [("text", 2), ("json", 0)])
async def test_secrets_stay_secret(
    tmp_path: Path,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    format_: str,
    retries: int,
    *,
    streamed: bool,
) -> None:
    (tmp_path / "secret").write_text("canary-file\n", "utf-8")
    (tmp_path / "third").write_text("canary-third\n", "utf-8")
    environ = {**ENVIRON, "PYTHONPATH": install(tmp_path)}
    settings = SETTINGS.format(base_url=upstream.base_url, retries=retries)
    flags = ("--debug", "--access-log", "--log-format", format_)
    with running(tmp_path, settings, *flags, environ=environ, traceback=True) as gateway:
        answers = await provoke(gateway, client, streamed=streamed)
        for wrong, line in (
            (settings + 'tokne = "canary-typo"\n', "not reloaded"),
            (settings + 'token = "canary-twice"\n', "not reloaded"),
            (settings.replace("canary-server", "canary-next"), "settings reloaded"),
        ):
            gateway.config.write_text(wrong, "utf-8")
            seen = len(gateway.log.having(line))
            gateway.signal(signal.SIGHUP)
            gateway.log.wait(line, seen + 1)
        answers.append(await post(client, gateway.chat, "leak-500@last", PROMPT, key="canary-next"))
    log = gateway.log.rest()
    assert len(answers) > 80
    assert {answer.status for answer in answers} >= {200, 400, 401, 404, 429, 502}
    said = "\n".join(f"{answer.headers}{answer.body.decode()}" for answer in answers)
    assert set(CANARY.findall(said)) == set()
    assert set(CANARY.findall(log)) == set()
    assert PROMPT not in log
    asked = {
        (one["headers"]["authorization"], one["body"]["model"])
        for one in await upstream.records()
        if one["method"] == "POST"
    }
    for key in ("literal", "file", "variable", "spare"):
        models = {model for who, model in asked if who == f"Bearer canary-{key}"}
        everything = {f"{leak}@{stream}" for leak in LEAKS for stream in (True, False)}
        assert everything - models == {f"leak-401@{not streamed}"}
    for key in ("first", "second", "third"):
        assert (f"Bearer canary-{key}", f"leak-401@{streamed}") in asked
    assert "was refused" in log, "what a plug-in did wrong is in the log"
