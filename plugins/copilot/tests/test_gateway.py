"""The plug-in in a gateway that is a process of its own, asked with OpenAI's client."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import attrs
import openai
import pytest

from g4f_aio.settings import environment

from .conftest import PATIENCE, Service

SETTINGS = """
[routing]
provider = "Copilot"
detect_local = false

[providers.Copilot]
base_url = "{root}"
cookies_file = "{file}"

[providers.expired]
type = "Copilot"
base_url = "{root}"
api_key = "expired-1234"

[providers.empty]
type = "Copilot"
base_url = "{root}"

[providers.challenged]
type = "Copilot"
base_url = "{root}"
api_key = "good-2-1234"

[providers.cut]
type = "Copilot"
base_url = "{root}"
api_key = "good-3-1234"
"""
COOKIE = {"name": "_C_Auth", "value": "good-cookie-value", "domain": "127.0.0.1", "path": "/"}
HELLO: Any = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How are you?"},
]


class Log:
    """What a process writes, read as it comes, so that the process never waits for us."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.text = ""
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def address(self) -> str:
        """Where the process listens, as soon as it says so."""
        found: list[str] = []

        def come() -> bool:
            found.extend(re.findall(r'listens on (http[^\s"]+)', self.text))
            return bool(found) or self._ended

        with self._news:
            self._news.wait_for(come, PATIENCE)
        assert found, self.text
        return found[0]

    def rest(self) -> str:
        """Everything, once the process has ended."""
        self._reader.join(PATIENCE)
        return self.text

    def _read(self) -> None:
        for line in self._stream:
            with self._news:
                self.text += line
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@attrs.frozen
class Gateway:
    """A running gateway."""

    url: str
    log: Log

    def client(self) -> openai.OpenAI:
        """OpenAI's client, which does not try again."""
        base = f"{self.url}/v1"
        return openai.OpenAI(base_url=base, api_key="any", max_retries=0, timeout=PATIENCE)


@contextmanager
def running(directory: Path, settings: str) -> Iterator[Gateway]:
    """A gateway with these settings, which ends in order and has no secret in its log."""
    config = directory / "gateway.toml"
    config.write_text(settings, "utf-8")
    kept = {name: value for name, value in environment().items() if name.startswith("COVERAGE_")}
    home = {"HOME": str(directory), "G4F_DATA_DIR": str(directory)}
    with subprocess.Popen(
        [sys.executable, "-m", "g4f_aio", "--port", "0"],
        env={"PATH": environment()["PATH"], **kept, **home},
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        log = Log(process.stdout)
        try:
            yield Gateway(log.address(), log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, log.rest()
            assert "Traceback" not in log.rest(), log.rest()
            for secret in ("-1234", COOKIE["value"]):
                assert secret not in log.rest()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def gateway(
    service_process: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with a session in a file; what fails has an instance of its own."""
    directory = tmp_path_factory.mktemp("gateway")
    # relative paths begin where the gateway was started
    (directory / "session.json").write_text(json.dumps([COOKIE]), "utf-8")
    settings = SETTINGS.format(root=service_process.root, file="session.json")
    with running(directory, settings) as made:
        yield made


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """OpenAI's client for it."""
    with gateway.client() as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def _no_blocking() -> None:
    """Nothing of ours runs on this process's event loop."""


def test_an_answer(client: openai.OpenAI, service_process: Service) -> None:
    answer = client.chat.completions.create(model="Copilot", messages=HELLO)
    assert answer.choices[0].message.content == "Be brief.\n\nHow are you? "
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "Copilot"
    assert answer.model_extra is not None
    assert answer.model_extra["provider"] == "Copilot"
    asked = service_process.records("/c/api/chat")[-1]
    assert asked["headers"]["cookie"] == "_C_Auth=good-cookie-value"
    assert asked["body"]["mode"] == "chat"


def test_a_stream(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    deltas = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    assert [delta for delta in deltas if delta] == ["Be ", "brief.\n\nHow ", "are ", "you? "]
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert {chunk.model for chunk in chunks} == {"gpt-4o"}


def ask(client: openai.OpenAI, prompt: str, model: str = "Copilot", **extra: Any) -> Any:
    """A whole answer."""
    messages: Any = [{"role": "user", "content": prompt}]
    return client.chat.completions.create(model=model, messages=messages, extra_body=extra)


def test_stop_and_max_tokens_are_the_gateways(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="Copilot", messages=HELLO, stop="are", max_tokens=100
    )
    assert raw.headers["x-emulated"] == "max_tokens, stop"
    assert raw.parse().choices[0].message.content == "Be brief.\n\nHow "


def test_thinking_sources_and_pictures(client: openai.OpenAI) -> None:
    thought = ask(client, "think", "Think Deeper").choices[0].message
    assert (thought.content, thought.reasoning_content) == ("42", "Let me see. Yes.")
    cited = ask(client, "cite").choices[0].message
    assert [one.url_citation.url for one in cited.annotations] == [
        "https://sky.example/",
        "https://blue.example/",
    ]
    drawn = ask(client, "draw").choices[0].message
    assert "![a cat](https://images.example/cat.png)" in drawn.content


def test_refusals_are_no_answers(client: openai.OpenAI) -> None:
    for model, prompt, said in (
        ("expired:Copilot", "Hello", "expired answered 401, so it does not take the session"),
        ("empty:Copilot", "Hello", "empty has no session"),
        ("challenged:Copilot", "challenge hashcash", "wants proof that a person is there"),
    ):
        with pytest.raises(openai.APIStatusError) as caught:
            ask(client, prompt, model)
        assert caught.value.status_code == 502
        assert caught.value.code == "provider_auth_failed"
        assert said in caught.value.message
        assert "export the session anew" in caught.value.message


def test_a_caller_s_own_token(client: openai.OpenAI, service_process: Service) -> None:
    assert ask(client, "Hello", api_key={"Copilot": "good-own-1234"}).choices
    asked = service_process.records("/c/api/chat")[-1]
    assert asked["query"]["accessToken"] == "good-own-1234"
    assert "cookie" not in asked["headers"]
    with pytest.raises(openai.AuthenticationError) as caught:
        ask(client, "Hello", api_key={"Copilot": "expired-own-1234"})
    assert "expired-own-1234" not in caught.value.message


def test_a_conversation_that_the_caller_goes_on_with(
    client: openai.OpenAI, service_process: Service
) -> None:
    assert ask(client, "Hello", conversation_id="of mine").choices
    first = service_process.records("/c/api/chat")[-1]["body"]
    assert ask(client, "And then?", conversation_id="of mine").choices
    second = service_process.records("/c/api/chat")[-1]["body"]
    assert second["conversationId"] == first["conversationId"]
    assert second["content"] == [{"type": "text", "text": "And then?"}]


def test_a_stream_that_is_cut_ends_with_an_error(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "frame !cut"}]
    stream = client.chat.completions.create(model="cut", messages=messages, stream=True)
    said: list[str | None] = []
    with pytest.raises(openai.APIError, match="closed the WebSocket before the end of its answer"):
        said.extend(chunk.choices[0].delta.content for chunk in stream)
    assert "".join(filter(None, said)) == "Well, "


async def test_a_client_that_leaves_closes_the_websocket(
    gateway: Gateway, service: Service
) -> None:
    messages: Any = [{"role": "user", "content": "hang"}]
    client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", timeout=PATIENCE)
    async with client:
        stream = await client.chat.completions.create(
            model="Copilot", messages=messages, stream=True
        )
        async with stream:
            await anext(aiter(stream))
            assert (await service.last())["closed_at"] is None
    await service.closed()


def test_it_is_listed_with_what_it_is_and_what_it_lacks(
    client: openai.OpenAI, tmp_path: Path
) -> None:
    listed = client.get("/providers/Copilot", cast_to=dict[str, Any])
    assert (listed["error"], listed["missing"]) == (None, None)
    assert listed["plugin"]["distribution"] == "g4f-aio-copilot"
    assert listed["url"] == "https://copilot.microsoft.com"
    assert "Think Deeper" in [model.id for model in client.models.list()]
    settings = "[routing]\ndetect_local = false\n"
    with running(tmp_path, settings) as bare, bare.client() as other:
        listed = other.get("/providers/Copilot", cast_to=dict[str, Any])
        assert "[providers.Copilot]" in listed["missing"]


def test_nobody_is_sent_there_who_did_not_ask_for_it(tmp_path: Path) -> None:
    with running(tmp_path, "[routing]\ndetect_local = false\n") as bare, bare.client() as client:
        with pytest.raises(openai.NotFoundError):
            ask(client, "Hello", "gpt-4o")
        with pytest.raises(openai.APIStatusError, match="is not configured"):
            ask(client, "Hello", "gpt-4o", provider="Copilot")


def test_a_mistake_in_its_table_is_named(tmp_path: Path) -> None:
    wrong = running(tmp_path, "[providers.Copilot]\ncookie_file = 'a'\n")
    named = r"did you mean providers\.Copilot\.cookies_file"
    with pytest.raises(AssertionError, match=named), wrong:
        pass


async def test_the_doctor_says_how_it_is(service: Service, tmp_path: Path) -> None:
    def check(token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "g4f_aio", "check", "Copilot"],
            env={"PATH": environment()["PATH"], "HOME": str(tmp_path), "COPILOT_API_KEY": token},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    folder = tmp_path / ".local" / "share" / "g4f_aio"
    folder.mkdir(parents=True)
    (folder / "gateway.toml").write_text(
        f'[routing]\ndetect_local = false\n[providers.Copilot]\nbase_url = "{service.root}"\n',
        "utf-8",
    )
    good = await asyncio.to_thread(check, "good-1234")
    assert (good.returncode, "Copilot answered in" in good.stdout) == (0, True), good
    bad = await asyncio.to_thread(check, "expired-1234")
    assert (bad.returncode, "export the session anew" in bad.stdout) == (1, True), bad
    assert "-1234" not in bad.stdout + bad.stderr
