"""Several users of one gateway, each with a key, with models and with rights of his own."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, Start, run, running
from tests.e2e.test_reloading import reload
from tests.e2e.waiting import until
from tests.e2e.wire import post

ALICE, BOB, ROOT = "alice-key-4711", "bob-key-4712", "root-key-4713"
SETTINGS = """
[routing]
detect_local = false

[providers.work]
type = "openai-compatible"
base_url = "{base_url}"
models = ["echo", "words-3", "words-5", "paced-20-20"]

[models.best]
providers = [{{ provider = "work", model = "words-3" }}]
"""
USERS = f"""
[keys.alice]
key = "{ALICE}"
models = ["echo", "best"]

[keys.bob]
sha256 = "{hashlib.sha256(BOB.encode()).hexdigest()}"
models = ["words-*", "work:*"]

[keys.root]
key = "{ROOT}"
admin = true
"""


def settings(upstream: Upstream, users: str = USERS) -> str:
    """A settings file."""
    return SETTINGS.format(base_url=upstream.base_url) + users


@pytest.fixture(scope="module")
def shared(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with three users; none of these keys may be in its log."""
    with running(tmp_path_factory.mktemp("users"), settings(upstream_process)) as gateway:
        yield gateway
        assert not any(key in gateway.log.text for key in (ALICE, BOB, ROOT))


def sdk(gateway: Gateway, key: str) -> openai.OpenAI:
    """OpenAI's client, which does not try again."""
    return openai.OpenAI(base_url=gateway.v1, api_key=key, max_retries=0, timeout=20)


def ask(gateway: Gateway, key: str, model: str) -> str | None:
    """What the client gets to hear."""
    with sdk(gateway, key) as client:
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello"}]
        )
        return answer.choices[0].message.content


@pytest.mark.parametrize(
    ("key", "model", "said"),
    [
        (ALICE, "echo", "Hello"),
        (ALICE, "best", "w0 w1 w2"),
        (BOB, "words-3", "w0 w1 w2"),
        (BOB, "work:echo", "Hello"),
        (ROOT, "echo", "Hello"),
        (ROOT, "best", "w0 w1 w2"),
    ],
)
def test_each_user_gets_his_models(shared: Gateway, key: str, model: str, said: str) -> None:
    assert ask(shared, key, model) == said


@pytest.mark.parametrize(
    ("key", "model"),
    [(ALICE, "words-3"), (ALICE, "work:echo"), (ALICE, "no-such"), (BOB, "echo"), (BOB, "best")],
)
def test_and_no_others(shared: Gateway, upstream: Upstream, key: str, model: str) -> None:
    with pytest.raises(openai.PermissionDeniedError, match=model) as caught:
        ask(shared, key, model)
    assert caught.value.param == "model"
    assert caught.value.code == "insufficient_permissions"
    assert not upstream.fetch_records()


def test_without_a_model_it_is_the_servers_choice(shared: Gateway) -> None:
    assert ask(shared, ROOT, "") is not None
    with pytest.raises(openai.PermissionDeniedError, match="choice of the model"):
        ask(shared, ALICE, "")


@pytest.mark.parametrize(
    ("key", "listed"),
    [
        (ALICE, {"echo", "best"}),
        (BOB, {"words-3", "words-5"}),
        (ROOT, {"echo", "best", "words-3", "words-5", "paced-20-20", "work"}),
    ],
)
def test_each_user_sees_what_he_may_ask_for(shared: Gateway, key: str, listed: set[str]) -> None:
    with sdk(shared, key) as client:
        found = {model.id for model in client.models.list()}
    assert found - {"OfflineAssistant", "offline-assistant"} == listed


@pytest.mark.parametrize("key", ["wrong", ALICE[:-1], hashlib.sha256(BOB.encode()).hexdigest()])
def test_everybody_else_stays_outside(shared: Gateway, key: str) -> None:
    with pytest.raises(openai.AuthenticationError):
        ask(shared, key, "echo")


async def test_only_an_admin_may_name_a_proxy(
    shared: Gateway, client: aiohttp.ClientSession
) -> None:
    proxy = "http://127.0.0.1:9"
    refused = await post(client, shared.chat, "echo", key=ALICE, proxy=proxy)
    assert refused.status == 403
    assert refused.error()["param"] == "proxy"
    assert (await post(client, shared.chat, "echo", key=ROOT, proxy=proxy)).status == 200


async def test_users_come_and_go_while_streams_run(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    gateway = start(settings(upstream))
    new = f'[keys.carol]\nkey = "carol-key"\n[keys.alice]\nkey = "{ALICE}"\nmodels = ["words-5"]\n'
    async with asyncio.TaskGroup() as group:
        stream = group.create_task(
            post(client, gateway.chat, "paced-50-40", key=ROOT, stream=True, provider="work")
        )
        await until(lambda: bool(upstream.fetch_records()))
        await asyncio.to_thread(reload, gateway, settings(upstream, new), "settings reloaded")
        statuses = [
            (await post(client, gateway.chat, model, key=key)).status
            for key, model in (
                (ROOT, "echo"),
                ("carol-key", "echo"),
                (ALICE, "echo"),
                (ALICE, "words-5"),
            )
        ]
        assert statuses == [401, 200, 403, 200]
        assert not stream.done()
    assert stream.result().done


async def test_a_reload_with_keys_that_clash_changes_nothing(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    gateway = start(settings(upstream))
    clash = f'\n[keys.twice]\nkey = "{ALICE}"\n'
    line = reload(gateway, settings(upstream, USERS + clash), "not reloaded")
    assert "keys.twice: has the same key as keys.alice" in line
    assert ALICE not in gateway.log.text
    assert (await post(client, gateway.chat, "echo", key=ALICE)).status == 200


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (
            '[keys.a]\nkey = "hidden"\n[keys.b]\nkey = "hidden"\n',
            "keys.b: has the same key as keys.a",
        ),
        ('[keys.local]\nkey = "hidden"\n', "keys.local: this name is taken"),
    ],
)
def test_keys_that_cannot_be_told_apart_keep_it_from_starting(
    tmp_path: Path, users: str, said: str
) -> None:
    (tmp_path / "gateway.toml").write_text(users, "utf-8")
    ended = run(tmp_path)
    assert ended.returncode == 78
    assert said in ended.stderr
    assert "hidden" not in ended.stderr + ended.stdout


async def test_with_keys_it_may_be_reached_from_everywhere(
    start: Start, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    gateway = start(settings(upstream), "--host", "0.0.0.0")  # noqa: S104
    assert (await post(client, gateway.chat, "echo")).status == 401
    assert (await post(client, gateway.chat, "echo", key=ALICE)).status == 200
    gateway.signal(signal.SIGTERM)
    assert gateway.end() == 0
