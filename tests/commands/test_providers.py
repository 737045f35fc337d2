"""``g4f-aio providers``."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from g4f_aio import __version__

Run = Callable[..., CompletedProcess[str]]
SETTINGS = """
[providers.work]
type = "scripted"
[providers.idle]
type = "scripted"
enabled = false
[providers.OpenAI]
api_key = "sk-hidden-0123"
"""


def test_all_providers_are_listed_with_origin_state_and_capabilities(run: Run) -> None:
    done = run("providers", settings=SETTINGS)
    assert done.returncode == 0
    lines = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    assert lines["PROVIDER"].split() == ["PROVIDER", "ORIGIN", "STATE", "CAPABILITIES"]
    assert lines["work"].split() == ["work", "g4f_aio", __version__, "ready", "chat,stream"]
    assert "switched off in the settings" in lines["idle"]
    assert " ready " in lines["OpenAI"]
    assert "needs an API key: set GROQ_API_KEY, or api_key in [providers.Groq]" in lines["Groq"]
    assert "ready when asked for by name" in lines["OfflineAssistant"]


def test_one_provider_is_described_in_full_without_its_secrets(run: Run) -> None:
    done = run("providers", "openai", settings=SETTINGS)
    assert done.returncode == 0
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line]
    facts = {words[0]: words[-1] for words in lines}
    assert facts["provider"] == "OpenAI"
    assert facts["state"] == "ready"
    assert "base_url" in facts["own"]
    assert "hidden" not in done.stdout + done.stderr


def test_an_unknown_provider_gets_the_closest_name(run: Run) -> None:
    done = run("providers", "OpenIA")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "g4f-aio: no provider 'OpenIA'; did you mean OpenAI?\n"


def test_a_provider_that_is_broken_says_why(run: Run, broken_plugin: str) -> None:
    done = run("providers", broken_plugin)
    assert done.returncode == 0
    assert "broken: " in done.stdout
    assert "ModuleNotFoundError" in done.stdout
    assert "broken-plug-in 1.0" in done.stdout


@pytest.mark.parametrize("variable", ["G4F_PROT"])
def test_an_unknown_variable_is_warned_of(run: Run, variable: str) -> None:
    done = run("providers", "work", settings=SETTINGS, **{variable: "1"})
    assert done.returncode == 0
    assert (
        done.stderr == f"g4f-aio: {variable} is set but is not a setting; did you mean G4F_PORT?\n"
    )
