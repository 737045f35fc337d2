"""The command line: words, help, mistakes and exit statuses."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import g4f_aio
from g4f_aio.cli import COMMANDS, EX_CONFIG, main, parse
from g4f_aio.settings import options


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The complaint about a command line."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_flags_become_values_by_key_and_what_is_not_given_is_absent() -> None:
    words = ["--port", "80", "--no-debug", "--access-log", "--config", "a.toml", "--drain=2"]
    assert parse("api", words) == {
        "server.port": "80",
        "server.debug": False,
        "server.access_log": True,
        "config": "a.toml",
        "server.drain": "2",
    }
    assert parse("api", []) == {}


def test_a_flag_of_a_list_takes_several_values_and_can_be_repeated() -> None:
    words = ["--cors-origin", "a", "b", "--cors-origin", "c"]
    assert parse("api", words) == {"server.cors_origin": ["a", "b", "c"]}


def test_commands_take_names() -> None:
    assert parse("check", ["a", "b", "--data-dir", "d"]) == {"names": ["a", "b"], "data_dir": "d"}
    assert parse("providers", []) == {}
    assert parse("models", ["--provider", "a"]) == {"names": ["a"]}


@pytest.mark.parametrize("words", [["--help"], ["api", "--help"]])
def test_help_lists_commands_and_each_flag_with_default_and_variable(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    text = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    for option in options():
        assert option.flag in text
        assert option.help in text
        assert f"; {option.env})" in text
    assert "(default: 1337; G4F_PORT)" in text
    assert "--conversation-days DAYS " in text
    assert "--stream-timeout SECONDS " in text
    for name, command in COMMANDS.items():
        assert f"{name} {command.help}" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_and_the_version(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag, text in (
        ("--help", "usage: g4f-aio"),
        ("--version", f"g4f-aio {g4f_aio.__version__}"),
    ):
        with pytest.raises(SystemExit) as caught:
            main([name, flag])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(text)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--prot", "80"], "no flag '--prot'; did you mean --port?"),
        (["--g4f-apikey=hidden"], "no flag '--g4f-apikey'; did you mean --g4f-api-key?"),
        (["--g4f-apikey", "hidden"], "no flag '--g4f-apikey'; did you mean --g4f-api-key?"),
        (["--no-debgu"], "no flag '--no-debgu'; did you mean --no-debug?"),
        (["models", "--provdier", "a"], "no flag '--provdier'; did you mean --provider?"),
        (["--xyzzy"], "no flag '--xyzzy'"),
        (["provider"], "no command 'provider'; did you mean providers?"),
        (["--port", "80", "models"], "the command models must be the first word"),
    ],
)
def test_a_word_that_means_nothing_gets_the_closest_one(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, *words)
    assert error.endswith(f"error: {complaint}")
    assert "hidden" not in error


def test_flags_of_features_that_are_not_there_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for flag in ("--gui", "--demo", "--workers", "--cookies-dir", "--media-provider"):
        assert f"no flag '{flag}'" in refused(capsys, flag)


def test_flags_are_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no flag '--por'" in refused(capsys, "--por", "80")


def test_wrong_settings_end_with_their_own_status_and_a_line_for_each_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.toml"
    file.write_text("[server]\nprot = 80\n", "utf-8")
    assert main(["--config", str(file), "--port", "x"]) == EX_CONFIG == 78
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"g4f-aio: the settings of {file} cannot be used",
        "  server.prot: unknown setting; did you mean server.port?",
        "  server.port (--port): expected an integer, got 'x'",
    ]


def test_help_and_version_come_without_the_server() -> None:
    code = (
        "import sys; from g4f_aio.cli import parse, COMMANDS; parse('api', ['--port', '1']);"
        "print([name for name in ('aiohttp', 'asyncio', 'structlog') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"


def test_python_m_runs_it_and_a_bind_for_all_without_a_key_is_refused() -> None:
    environ = {"PATH": os.defpath, "HOME": "/nonexistent", "G4F_HOST": "0.0.0.0"}  # noqa: S104
    done = subprocess.run(
        [sys.executable, "-m", "g4f_aio"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 78
    assert "--g4f-api-key" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_the_settings_read_the_environment() -> None:
    root = Path(g4f_aio.__file__).parent
    readers = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]
    assert readers == ["settings/load.py"]
