"""The files in ``conf/`` and the README say what the settings are."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from g4f_aio.cli import EX_CONFIG, parse
from g4f_aio.gateway.plugins import find_plugins
from g4f_aio.gateway.registry import Registry
from g4f_aio.settings import (
    ModelTarget,
    ProviderSettings,
    ServerSettings,
    Settings,
    load,
    options,
    settings_table,
)
from g4f_aio.settings.options import table_options, toml

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "conf" / "gateway.toml").read_text("utf-8")
LINES = EXAMPLE.splitlines()
#: what the secrets of the example refer to
ENVIRON = {
    "MY_SERVER_KEY": "server-key",
    "OPENAI_API_KEY": "openai-key",
    "SECOND_KEY": "second-key",
    "ALICE_KEY": "alice-key",
}
#: a line of the example that can be switched on
SWITCHED_OFF = re.compile(r"^#(?=[\w\[])", re.MULTILINE)


def test_the_example_loads_to_exactly_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(EXAMPLE, "utf-8")
    assert load({"data_dir": str(tmp_path)}, {}) == Settings(
        data_dir=tmp_path, config=tmp_path / "gateway.toml"
    )


def test_the_example_has_each_setting_with_its_help_and_its_default_in_order() -> None:
    expected = []
    for option in options():
        restart = "; needs a restart" if option.restart else ""
        expected.append(f"# {option.help} ({option.flag}, {option.env}{restart})")
        value = None if option.default is None else toml(option.default)
        expected.append(f"#{option.name} =" if value is None else f"{option.name} = {value}")
    last = LINES.index(f"[{options()[-1].path.partition('.')[0]}]")
    sections = LINES[LINES.index("[server]") : LINES.index("", last)]
    found = [line for line in sections if line and not line.startswith("[")]
    for wanted, line in zip(expected, found, strict=True):
        assert line == wanted or (wanted.endswith(" =") and line.startswith(wanted))


def test_the_example_has_each_key_of_a_provider_with_its_help() -> None:
    start = LINES.index("#[providers.work]")
    table = LINES[start : LINES.index("", start)]
    for option in table_options(ProviderSettings, "providers.work"):
        assert [line for line in table if line.startswith(f"#{option.name} = ")]
        assert f"# {option.help}" in table


def test_the_example_loads_with_everything_switched_on(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem", "work.key", "third.key"):
        (tmp_path / name).write_text(f"content of {name}\n", "utf-8")
    (tmp_path / "gateway.toml").write_text(SWITCHED_OFF.sub("", EXAMPLE), "utf-8")
    settings = load({"data_dir": str(tmp_path)}, ENVIRON)
    assert settings.server.api_key == "server-key"
    assert settings.server.ssl_keyfile == tmp_path / "key.pem"
    assert settings.routing.provider == "OpenAI"
    assert settings.upstream.proxy == "http://proxy.example.org:8080"
    assert settings.providers["OpenAI"].api_key == "openai-key"
    work = settings.providers["work"]
    assert (work.type, work.api_key) == ("openai-compatible", "content of work.key")
    assert work.api_keys == ("sk-one", "second-key", "content of third.key")
    assert settings.keys["alice"].key == "alice-key"
    assert work.options == {"base_url": "http://127.0.0.1:8000/v1"}
    chain = settings.models["gpt-4o"]
    assert chain == (ModelTarget("work", "llama-3.3-70b"), ModelTarget("OpenAI"))


def test_the_example_s_providers_exist_and_take_their_keys(tmp_path: Path) -> None:
    text = SWITCHED_OFF.sub("", EXAMPLE)
    (tmp_path / "gateway.toml").write_text(text[text.index("[providers.") :], "utf-8")
    for name in ("work.key", "third.key"):
        (tmp_path / name).write_text(name, "utf-8")
    settings = load({"data_dir": str(tmp_path)}, ENVIRON)
    registry = Registry(settings, find_plugins())
    assert [entry.name for entry in registry.chosen] == ["OpenAI", "work"]


def test_every_setting_has_its_flag_on_the_command_line() -> None:
    for option in options():
        words = [option.flag] if option.type is bool else [option.flag, "1"]
        assert list(parse("api", words)) == [option.path]


def test_the_readme_has_the_table_of_settings() -> None:
    assert settings_table() in (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    """The systemd unit; of keys that stand twice only the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "conf" / "g4f-aio.service", "utf-8")
    return parser


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("WatchdogSec", "20"),
        ("Restart", "on-failure"),
        ("RestartPreventExitStatus", str(EX_CONFIG)),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "g4f_aio"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("LimitNOFILE", "65536"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("SystemCallArchitectures", "native"),
    ],
)
def test_the_unit_has_this_directive(unit: configparser.ConfigParser, key: str, value: str) -> None:
    assert unit["Service"][key] == value


def test_the_unit_bounds_memory_calls_and_addresses(unit: configparser.ConfigParser) -> None:
    text = (ROOT / "conf" / "g4f-aio.service").read_text("utf-8")
    assert unit["Service"]["MemoryMax"]
    assert "\nSystemCallFilter=@system-service\n" in text
    assert unit["Service"]["IPAddressDeny"].split()[0] == "169.254.0.0/16"
    assert "\n#LoadCredential=server.key:" in text
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_unit_gives_streams_their_time_to_drain(unit: configparser.ConfigParser) -> None:
    assert int(unit["Service"]["TimeoutStopSec"]) > 2 * ServerSettings().drain + 10


def test_the_unit_runs_a_command_line_that_exists(unit: configparser.ConfigParser) -> None:
    program, command, *words = unit["Service"]["ExecStart"].split()
    assert program.endswith("/g4f-aio")
    assert parse(command, words) == {"config": "/etc/g4f_aio/gateway.toml"}


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    text = (ROOT / "conf" / "g4f-aio.service").read_text("utf-8")
    copy = tmp_path / "g4f-aio.service"
    copy.write_text(text.replace("/opt/g4f_aio/bin/g4f-aio", sys.executable), "utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    complaints = [line for line in done.stderr.splitlines() if copy.name in line]
    assert (done.returncode, complaints) == (0, [])
