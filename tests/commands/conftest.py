"""A command line whose surroundings are known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import structlog

from g4f_aio import cli
from g4f_aio.settings import environment

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run a command with a settings file of the given text and nothing from the environment."""
    for name in tuple(environment()):
        if name.startswith("G4F_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run_command(*words: str, settings: str = "", **environ: str) -> CompletedProcess[str]:
        (tmp_path / "gateway.toml").write_text(settings, "utf-8")
        monkeypatch.setenv("G4F_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("G4F_DETECT_LOCAL", "false")  # what runs here is not for tests
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        status = cli.main(words)
        return CompletedProcess(words, status, *capsys.readouterr())

    yield run_command
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def install(site: Path, name: str, target: str) -> None:
    """Put a distribution into *site* that offers *target* as the provider *name*."""
    info = site / f"{name.lower()}_plug_in-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name.lower()}-plug-in\nVersion: 1.0\n", "utf-8"
    )
    (info / "entry_points.txt").write_text(f"[g4f.providers]\n{name} = {target}\n", "utf-8")


@pytest.fixture
def broken_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed plug-in whose module does not exist; its name."""
    install(tmp_path / "site", "Broken", "a_module_that_is_not_there:Provider")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "Broken"


REMOTE = """
import attrs
from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.core.models import ModelInfo
from g4f_aio.core.provider import Provider

@attrs.frozen(kw_only=True)
class Remote(Provider):
    name = "Remote"

    def models(self):
        return (ModelInfo("remote-model"),)

    async def chat(self, request, ctx):
        yield TextDelta("OK")
        yield Finish("stop")
"""


@pytest.fixture
def remote_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed plug-in that needs no key and leads off this machine; its name."""
    install(tmp_path / "site", "Remote", "a_remote_module:Remote")
    (tmp_path / "site" / "a_remote_module.py").write_text(REMOTE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "Remote"
