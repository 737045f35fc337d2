"""The programs and command lines of the public documentation, as they stand but for the port."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, surroundings

PROGRAMS = Path(__file__).with_name("programs")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")


def run(name: str, gateway: Gateway, directory: Path, **changes: str) -> str:
    """What a program prints when it talks to *gateway*; *changes* are made to its text."""
    text = (PROGRAMS / f"{name}.txt").read_text("utf-8")
    text = re.sub(r"http://localhost(:\d+)?", f"http://localhost:{gateway.port}", text)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    command = ["bash", "-c"] if name.startswith("curl") else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, text],
        env=surroundings(directory, {"NO_PROXY": "localhost"}),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_requests(unkeyed: Gateway, tmp_path: Path) -> None:
    answer = json.loads(run("requests_chat", unkeyed, tmp_path))
    assert answer["choices"][0]["message"]["content"] == "Nothing"
    assert answer["provider"] == "Copilot"


def test_requests_with_a_stream(unkeyed: Gateway, tmp_path: Path) -> None:
    """It names no model."""
    said = run("requests_stream", unkeyed, tmp_path)
    assert said == "Hello, how are you?\n\nConversation completed.\n"


def test_requests_sees_the_end_of_a_stream_that_fails(unkeyed: Gateway, tmp_path: Path) -> None:
    changes = {'model = ""': 'model = "Copilot:cut-between-events"'}
    assert run("requests_stream", unkeyed, tmp_path, **changes) == "One two"


def test_requests_lists_the_models(unkeyed: Gateway, tmp_path: Path) -> None:
    said = run("requests_models", unkeyed, tmp_path)
    assert "'id': 'gpt-4o'" in said
    assert "'id': 'Copilot'" in said


def test_aiohttp(unkeyed: Gateway, tmp_path: Path, upstream: Upstream) -> None:
    changes = {'"role": "system"': '"role": "user"'}
    said = run("aiohttp_stream", unkeyed, tmp_path, **changes)
    assert said.split() == ["Hello,", "how", "are", "you?"]
    assert upstream.fetch_records("gpt-4o")[0]["body"]["stream"] is True


def test_openai(unkeyed: Gateway, tmp_path: Path) -> None:
    assert run("openai_client", unkeyed, tmp_path) == "Hello!\nTell me a story"


def test_langchain(unkeyed: Gateway, tmp_path: Path) -> None:
    lines = run("langchain_client", unkeyed, tmp_path).splitlines()
    assert lines[:2] == ["Hello!", "True"]
    assert lines[2].replace("|", "") == "Tell me a story"
    assert "|a |" in lines[2]
    assert "total_tokens" in lines[3] or lines[3] == "True"
    assert lines[4:6] == ["Once more", "and once more"]
    assert lines[6:] == ["get_weather {'city': 'Köln', 'days': 2}", "get_time {}"]


@needs_curl
def test_curl(keyed: Gateway, tmp_path: Path) -> None:
    answer = json.loads(run("curl_chat", keyed, tmp_path))
    assert answer["object"] == "chat.completion"
    assert answer["provider"] == "work"
    assert answer["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Hello!",
        "refusal": None,
    }
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] > 0


@needs_curl
def test_curl_with_a_stream(keyed: Gateway, tmp_path: Path) -> None:
    lines = run("curl_chat", keyed, tmp_path, false="true").splitlines()
    *events, done = [line for line in lines if line]
    assert all(json.loads(line.removeprefix("data: ")) for line in events)
    assert done == "data: [DONE]"


@needs_curl
def test_curl_names_a_provider(unkeyed: Gateway, tmp_path: Path) -> None:
    answer = json.loads(run("curl_provider", unkeyed, tmp_path))
    assert answer["choices"][0]["message"]["content"] == "Hello!"
    assert answer["model"] == "gpt-4"


@needs_curl
def test_curl_has_a_conversation(unkeyed: Gateway, tmp_path: Path, upstream: Upstream) -> None:
    """The second request need not repeat the first; the gateway remembers it."""
    run("curl_conversation", unkeyed, tmp_path)
    answer = json.loads(run("curl_conversation", unkeyed, tmp_path, **{"Continue our": "End the"}))
    assert answer["choices"][0]["message"]["content"] == "End the conversation"
    asked: list[dict[str, Any]] = upstream.fetch_records("gpt-4")[-1]["body"]["messages"]
    assert [message["content"] for message in asked] == [
        "Continue our conversation",
        "Continue our conversation",
        "End the conversation",
    ]


@needs_curl
def test_curl_lists_the_models(unkeyed: Gateway, tmp_path: Path) -> None:
    listed = json.loads(run("curl_models", unkeyed, tmp_path))
    assert listed["object"] == "list"
    entries = {entry["id"]: entry for entry in listed["data"]}
    documented = {"id", "object", "created", "owned_by", "image", "provider"}
    assert all(documented <= set(entry) for entry in entries.values())
    assert entries["gpt-4o"]["provider"] is False
    assert entries["Copilot"]["provider"] is True


@needs_curl
def test_curl_lists_the_models_of_a_provider(unkeyed: Gateway, tmp_path: Path) -> None:
    changes = {"/v1/models": "/api/Copilot/models"}
    listed = json.loads(run("curl_models", unkeyed, tmp_path, **changes))
    documented = {"id", "object", "created", "owned_by", "image", "vision"}
    assert listed["object"] == "list"
    assert all(documented <= set(entry) for entry in listed["data"])
    assert "gpt-4o" in {entry["id"] for entry in listed["data"]}


@needs_curl
def test_curl_lists_the_providers(unkeyed: Gateway, tmp_path: Path) -> None:
    listed = json.loads(run("curl_models", unkeyed, tmp_path, **{"/v1/models": "/v1/providers"}))
    documented = {
        "provider",
        "models",
        "image_models",
        "vision_models",
        "url",
        "working",
        "auth",
    }
    assert all(documented <= set(entry) for entry in listed["data"])
    one = run("curl_models", unkeyed, tmp_path, **{"/v1/models": "/v1/providers/Copilot"})
    copilot = json.loads(one)
    assert documented | {"stream", "description"} <= set(copilot)
    assert copilot["working"] is True
    assert "gpt-4o" in copilot["models"]
