"""``GET /metrics``: who may have it, in which format, and that it follows what happens."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import yaml

from g4f_aio.server import metrics as module
from g4f_aio.server.counters import LATE, Histogram
from g4f_aio.server.metrics import watch_loop
from g4f_aio.server.routes import table
from g4f_aio.settings import KeySettings
from g4f_aio.settings.secret import SecretStr
from tests.e2e.waiting import until
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO, STREAM, Server

ROOT = Path(__file__).parents[2]
KEYS = attrs.evolve(
    QUIET,
    keys={
        "boss": KeySettings(key=SecretStr("boss-key"), admin=True),
        "clerk": KeySettings(key=SecretStr("clerk-key")),
    },
)


async def test_it_is_prometheus_s_text_format_unless_openmetrics_is_asked_for(
    server: Server,
) -> None:
    plain = await server.get("/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# TYPE g4f_aio_requests_running gauge" in plain.body
    # as Prometheus asks
    accept = (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    )
    asked = await server.get("/metrics", Accept=accept)
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert asked.headers["Content-Type"] == kind
    assert asked.body.endswith(b"# EOF\n")
    odd = await server.get("/metrics", Accept="application/openmetrics-text; version=x.y")
    assert odd.headers["Content-Type"] == kind


async def test_it_follows_what_happens(server: Server) -> None:
    assert b'outcome="ok"' not in (await server.get("/metrics")).body
    await server.chat({**HELLO, "model": "small"})
    await server.chat({**STREAM, "model": "small"})
    text = (await server.get("/metrics")).body.decode()
    of = 'dialect="openai-chat",model="small",outcome="ok",provider="script",status="2xx"'
    assert f"g4f_aio_requests_total{{{of}}} 2.0" in text
    assert 'g4f_aio_key_requests_total{key="local"} 2.0' in text
    where = 'method="POST",path="/v1/chat/completions",status="200"'
    assert f"g4f_aio_http_responses_total{{{where}}} 2.0" in text


@pytest.mark.parametrize(("key", "status"), [("", 401), ("clerk-key", 403), ("boss-key", 200)])
async def test_it_is_for_admins(start: Start, key: str, status: int) -> None:
    server = await start(settings=KEYS)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    assert (await server.get("/metrics", **headers)).status == status


async def test_keys_are_counted_by_their_names(start: Start) -> None:
    server = await start(settings=KEYS)
    await server.chat(headers={"api-key": "clerk-key"})
    text = (await server.get("/metrics", **{"api-key": "boss-key"})).body.decode()
    assert 'g4f_aio_key_requests_total{key="clerk"} 1.0' in text
    assert "clerk-key" not in text


def test_the_library_is_not_imported_with_the_server() -> None:
    code = (
        "import sys, g4f_aio.app, g4f_aio.serve;"
        "print({'prometheus_client', 'opentelemetry'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "set()"


async def test_the_watch_notes_how_late_the_loop_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.01)
    late = Histogram(LATE)
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watch_loop(late))
        await until(lambda: sum(late.counts) > 0)
        before = late.sum
        for _ in range(3):  # whoever holds the loop up this long is seen, wherever it begins
            spin(0.1)
            await asyncio.sleep(0.02)
        watch.cancel()
    assert late.sum - before > 0.2


def spin(seconds: float) -> None:
    """Hold the event loop up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        pass


def test_the_example_for_prometheus_leads_to_it() -> None:
    text = (ROOT / "conf" / "prometheus.yml").read_text("utf-8")
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert job["metrics_path"] in {row.path for row in table()}
    server = QUIET.server
    assert job["static_configs"] == [{"targets": [f"{server.host}:{server.port}"]}]
    text = re.sub(r"^    #(?=\w|  )", "    ", text, flags=re.MULTILINE)
    (switched_on,) = yaml.safe_load(text)["scrape_configs"]
    assert set(switched_on["authorization"]) == {"credentials_file"}
