"""``g4f-aio new-plugin``: what it writes can be installed, passes its test, and answers."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import AsyncIterator, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from g4f_aio import cli
from g4f_aio.commands.new_plugin import Names
from g4f_aio.testing import Answer, FakeUpstream
from tests.e2e import gateway

Run = Callable[..., CompletedProcess[str]]
NAME = "my-provider"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status and output of the command."""
    status = cli.main(["new-plugin", *words])
    return (status, *capsys.readouterr())


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("acme", "acme g4f_aio_acme Acme g4f-aio-acme"),
        (NAME, "my-provider g4f_aio_my_provider MyProvider g4f-aio-my-provider"),
        ("MyThing", "MyThing g4f_aio_my_thing MyThing g4f-aio-my-thing"),
        ("XMLChat2", "XMLChat2 g4f_aio_xml_chat2 XMLChat2 g4f-aio-xml-chat2"),
        ("a_b.c", "a_b.c g4f_aio_a_b_c ABC g4f-aio-a-b-c"),
        ("g4f-aio-acme", "acme g4f_aio_acme Acme g4f-aio-acme"),
        ("g4f-aio", "g4f-aio g4f_aio_g4f_aio G4fAio g4f-aio-g4f-aio"),
        ("finish", "finish g4f_aio_finish FinishProvider g4f-aio-finish"),
        ("none", "none g4f_aio_none NoneProvider g4f-aio-none"),
    ],
)
def test_the_names_of_the_parts(given: str, names: str) -> None:
    found = Names.of(given)
    assert [found.name, found.module, found.class_name, found.distribution] == names.split()
    for path, text in found.files().items():
        if path.endswith(".py"):
            assert ast.parse(text).body


def test_the_label_is_for_people() -> None:
    assert [Names.of(name).label for name in (NAME, "XMLThing")] == ["My Provider", "XML Thing"]


def test_what_is_written_and_what_comes_next(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, said, complaint = call(capsys, NAME)
    assert (status, complaint) == (0, "")
    assert said.splitlines() == [
        "my-provider: pyproject.toml, README.md, g4f_aio_my_provider.py, tests/test_my_provider.py",
        "Next:",
        "  python -m pip install -e './my-provider[test]'",
        "  python -m pytest my-provider",
        "  python -m g4f_aio providers my-provider",
    ]
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"{NAME}/{path}" for path in Names.of(NAME).files()}


@pytest.mark.parametrize(
    "name", ["1st", "a b", "a--b", "a-", "-", ".", "a/b", "../a", "ä", "", "a" * 51, "a\n"]
)
def test_what_is_no_name_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    status, said, complaint = call(capsys, "--", name)
    assert (status, said) == (1, "")
    assert (
        "is no name for a plug-in: it begins with a letter and has letters and digits" in complaint
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["OpenAI", "openai", "g4f-aio-groq"])
def test_a_name_that_is_taken_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    status, _, complaint = call(capsys, name)
    assert status == 1
    assert " already, of g4f_aio: take another name" in complaint
    assert not list(tmp_path.iterdir())


def test_a_name_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call(capsys)
    assert caught.value.code == 2
    assert "the following arguments are required: NAME" in capsys.readouterr().err


def test_an_empty_folder_is_filled_and_another_one_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / NAME).mkdir()
    assert call(capsys, NAME)[0] == 0
    project = tmp_path / NAME / "pyproject.toml"
    project.write_text("mine", "utf-8")
    status, said, complaint = call(capsys, NAME)
    assert (status, said) == (1, "")
    assert complaint == "g4f-aio: cannot write my-provider: the folder is not empty\n"
    assert project.read_text("utf-8") == "mine"


def test_a_file_in_its_place_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "acme").write_text("mine", "utf-8")
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    for name in ("acme", NAME):
        status, _, complaint = call(capsys, name)
        assert status == 1
        assert complaint == f"g4f-aio: cannot write {name}: it is there already and no folder\n"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a place that forbids even root")
def test_a_place_where_nothing_can_be_written_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/proc")
    status, said, complaint = call(capsys, NAME)
    assert (status, said) == (1, "")
    assert complaint.startswith("g4f-aio: cannot write my-provider: ")


def pip_builds() -> bool:
    """Whether pip can build the package here without fetching anything."""
    try:
        return int(version("setuptools").partition(".")[0]) >= 77 and bool(version("pip"))
    except PackageNotFoundError:
        return False


def by_pip(folder: Path, site: Path) -> None:
    """Install it as people do, but without a network."""
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
    command = [sys.executable, "-m", "pip", "install", *flags, str(folder)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)


def by_hand(folder: Path, site: Path) -> None:
    """Install it as pip leaves it, by what its project file says."""
    parsed = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    project = parsed["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    for module in parsed["tool"]["setuptools"]["py-modules"]:
        (site / f"{module}.py").write_bytes((folder / f"{module}.py").read_bytes())
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata, "utf-8")
    points = project["entry-points"]["g4f.providers"]
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (info / "entry_points.txt").write_text(f"[g4f.providers]\n{lines}", "utf-8")


@pytest.fixture(
    params=[
        pytest.param(
            by_pip,
            marks=pytest.mark.skipif(
                not pip_builds(), reason="pip and setuptools >= 77 are needed to build it"
            ),
        ),
        by_hand,
    ]
)
def installed(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> dict[str, str]:
    """A new plug-in, installed; the environment that has it."""
    assert call(capsys, NAME)[0] == 0
    site = tmp_path / "site"
    request.param(tmp_path / NAME, site)
    path = os.pathsep.join((str(site), *filter(None, sys.path)))
    return {"PYTHONPATH": path}


def test_its_own_test_passes(installed: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", NAME],
        env=gateway.surroundings(tmp_path, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **installed}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_it_is_listed_with_what_it_needs(installed: dict[str, str], tmp_path: Path) -> None:
    environ = {"G4F_DETECT_LOCAL": "false", **installed}
    done = gateway.run(tmp_path, "providers", NAME, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "g4f-aio-my-provider 0.1.0" in done.stdout
    assert "needs an API key: set MY_PROVIDER_API_KEY, or api_key in [providers.my-provider]" in (
        done.stdout
    )


ANSWER = Answer.sse({"text": "Good"}, {"text": " morning"}, {"done": True})


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    """Somebody who speaks the API that the plug-in was written for."""
    async with FakeUpstream({"POST /v1/generate": ANSWER}) as upstream:
        yield upstream


async def test_it_answers_through_a_gateway(
    installed: dict[str, str], upstream: FakeUpstream, tmp_path: Path
) -> None:
    answer, streamed = await asyncio.to_thread(ask_gateway, tmp_path, upstream.url, installed)
    assert answer["provider"] == NAME
    assert answer["model"] == "my-provider-small"
    assert answer["choices"][0]["message"]["content"] == "Good morning"
    assert streamed.index('"content":"Good"') < streamed.index('"content":" morning"')
    assert streamed.endswith("data: [DONE]\n\n")
    first, second = upstream.requests
    assert first.headers["Authorization"] == second.headers["Authorization"] == "Bearer sk-mine"
    assert first.json == {
        "model": "my-provider-small",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
    }


def ask_gateway(folder: Path, url: str, environ: dict[str, str]) -> tuple[dict[str, Any], str]:
    """A whole and a streamed answer of a gateway that has the plug-in."""
    settings = f'[routing]\ndetect_local = false\n[providers.{NAME}]\nbase_url = "{url}"\n'
    environ = {"MY_PROVIDER_API_KEY": "sk-mine", **environ}
    with gateway.running(folder, settings, environ=environ) as running:
        body = {"model": "my-provider-small", "messages": [{"role": "user", "content": "Hello"}]}
        whole = json.loads(post(running.chat, body))
        return whole, post(running.chat, {**body, "stream": True})


def post(url: str, body: dict[str, Any]) -> str:
    """The answer to a POST."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  (our own)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        text: str = response.read().decode()
    return text
