"""``g4f-aio models``."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

Run = Callable[..., CompletedProcess[str]]
SETTINGS = """
[providers.work]
type = "scripted"
[providers.more]
type = "scripted"
models = ["scripted", "large"]
[models."gpt-4.1"]
providers = [{ provider = "work", model = "scripted" }, { provider = "more" }]
"""


def rows(done: CompletedProcess[str]) -> list[list[str]]:
    """The lines of the table by words, without its head."""
    head, *lines = [line.split() for line in done.stdout.splitlines()]
    assert head == ["MODEL", "PROVIDERS"]
    return lines


def test_models_are_listed_once_with_all_their_providers(run: Run) -> None:
    done = run("models", settings=SETTINGS)
    assert done.returncode == 0
    listed = {words[0]: words[1:] for words in rows(done)}
    assert listed["gpt-4.1"] == ["work,", "more"]
    assert listed["scripted"] == ["work,", "more"]
    assert listed["large"] == ["more"]
    assert listed["offline-assistant"] == ["OfflineAssistant"]


def test_the_models_of_one_provider_can_be_asked_for(run: Run) -> None:
    done = run("models", "--provider", "more", settings=SETTINGS)
    assert rows(done) == [["scripted", "more"], ["large", "more"]]


def test_an_unknown_provider_gets_the_closest_name(run: Run) -> None:
    done = run("models", "--provider", "wrk", settings=SETTINGS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean work?" in done.stderr


def test_a_provider_that_lists_nothing_says_why(run: Run) -> None:
    text = '[providers.gone]\ntype = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\n'
    done = run("models", "--provider", "gone", settings=text)
    assert rows(done) == []
    assert "gone" in done.stderr
