"""``g4f-aio check``: the doctor."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from g4f_aio.commands.check import FAIL, OK, examine_directory

Run = Callable[..., CompletedProcess[str]]
WORKING = '[providers.work]\ntype = "scripted"\n'
FAILING = '[providers.lame]\ntype = "scripted"\nfail_after = 0\n'
GONE = (
    '[providers.gone]\ntype = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\n'
    'models = ["m"]\n'
)


def marks(done: CompletedProcess[str]) -> dict[str, str]:
    """How each subject of the report is."""
    return {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}


def test_everything_that_works_is_ok_and_what_is_not_configured_does_not_count(run: Run) -> None:
    done = run("check", settings=WORKING)
    found = marks(done)
    assert done.returncode == 0
    assert (found["settings"], found["data"], found["work"]) == ("ok", "ok", "ok")
    assert found["OfflineAssistant"] == "ok"
    assert found["Groq"] == found["Ollama"] == "-"
    assert "not found at http://127.0.0.1:11434/v1; not called" in done.stdout
    assert "needs an API key: set GROQ_API_KEY, or api_key in [providers.Groq]" in done.stdout


def test_the_look_for_servers_on_this_machine_disturbs_nobody(run: Run) -> None:
    done = run("check", "work", settings=WORKING, G4F_DETECT_LOCAL="true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_call_says_which_model_answered_how_fast(run: Run) -> None:
    done = run("check", "work", settings=WORKING)
    *_, last = done.stdout.splitlines()
    assert re.fullmatch(r"ok +work +scripted answered in 0\.\d\d s", last)


@pytest.mark.parametrize(("settings", "name"), [(FAILING, "lame"), (GONE, "gone")])
def test_a_configured_provider_that_fails_fails_the_check(
    run: Run, settings: str, name: str
) -> None:
    done = run("check", settings=WORKING + settings)
    assert done.returncode == 1
    assert marks(done)[name] == "FAIL"
    assert marks(done)["work"] == "ok"


def test_only_named_providers_are_checked_and_they_count(run: Run) -> None:
    assert run("check", "work", settings=WORKING + FAILING).returncode == 0
    done = run("check", "groq", settings=WORKING)
    assert done.returncode == 1
    assert marks(done) == {"settings": "ok", "data": "ok", "database": "ok", "Groq": "FAIL"}


def test_a_provider_that_is_switched_off_does_not_count_unless_named(run: Run) -> None:
    text = FAILING + "enabled = false\n"
    assert marks(run("check", settings=text))["lame"] == "-"
    assert run("check", settings=text).returncode == 0
    assert run("check", "lame", settings=text).returncode == 1


def test_a_broken_plug_in_is_reported_and_harms_nobody(run: Run, broken_plugin: str) -> None:
    done = run("check", settings=WORKING)
    assert done.returncode == 0
    assert marks(done)[broken_plugin] == "-"
    assert run("check", broken_plugin).returncode == 1


def test_nothing_is_sent_off_this_machine_unasked(run: Run, remote_plugin: str) -> None:
    done = run("check")
    assert marks(done)[remote_plugin] == "-"
    assert "ready when asked for by name; not called" in done.stdout
    assert "remote-model answered" in run("check", remote_plugin).stdout


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("[server]\nprot = 1", "server.prot: unknown setting; did you mean server.port?"),
        (WORKING + "dealy = 1", "providers.work.dealy: unknown setting"),
    ],
)
def test_wrong_settings_fail_the_check_with_every_mistake(
    run: Run, settings: str, problem: str
) -> None:
    done = run("check", settings=settings)
    assert done.returncode == 1
    assert done.stdout.startswith(f"FAIL  settings  {problem}")


def test_an_unknown_provider_fails_the_check(run: Run) -> None:
    done = run("check", "wrok", settings=WORKING)
    assert done.returncode == 1
    assert "did you mean work?" in done.stderr


def test_no_secret_is_in_the_report(run: Run) -> None:
    text = GONE + 'api_key = "sk-hidden-0123"\n'
    done = run("check", settings=text, G4F_PROXY="http://me:hidden-pass@127.0.0.1:9")
    assert done.returncode == 1
    assert "hidden" not in done.stdout + done.stderr


def test_a_data_directory_is_written_to_where_it_exists(tmp_path: Path) -> None:
    assert examine_directory(tmp_path) == (OK, "data directory", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_can_be_made_is_not_made(tmp_path: Path) -> None:
    mark, _, text = examine_directory(tmp_path / "a" / "b")
    assert mark == OK
    assert "will be made" in text
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_in_the_place_of_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        mark, _, text = examine_directory(path)
        assert mark == FAIL
        assert "--data-dir" in text
