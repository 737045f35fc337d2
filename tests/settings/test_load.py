"""Loading: who wins, where the file and the data are, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.settings import ServerSettings, Settings, SettingsError, environment, load


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory that is the working directory too."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    """Put a settings file at *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(flags: dict[str, object], environ: dict[str, str]) -> tuple[str, ...]:
    """The mistakes of settings that cannot be loaded."""
    with pytest.raises(SettingsError) as caught:
        load(flags, environ)
    return caught.value.problems


def test_with_nothing_given_all_is_default(home: Path) -> None:
    data_dir = home / ".local" / "share" / "g4f_aio"
    assert load({}, {"HOME": str(home)}) == Settings(data_dir=data_dir)
    assert list(home.iterdir()) == []


def test_flag_wins_over_variable_over_file_over_default(home: Path) -> None:
    file = write(home / "a.toml", "[server]\nport = 1\ndrain = 1\nkeep_alive = 1\n")
    flags = {"config": str(file), "server.port": "3"}
    server = load(flags, {"G4F_PORT": "2", "G4F_DRAIN": "2"}).server
    assert (server.port, server.drain, server.keep_alive) == (3, 2.0, 1.0)
    assert server.body_timeout == ServerSettings().body_timeout


@given(st.lists(st.sampled_from(["file", "environment", "flag"]), unique=True))
def test_the_strongest_source_that_speaks_wins(
    tmp_path_factory: pytest.TempPathFactory, speaking: list[str]
) -> None:
    data_dir = tmp_path_factory.getbasetemp() / "precedence"
    text = '[routing]\nmodel = "file"\n' if "file" in speaking else ""
    write(data_dir / "gateway.toml", text)
    environ = {"G4F_MODEL": "environment"} if "environment" in speaking else {}
    flags = {"routing.model": "flag"} if "flag" in speaking else {}
    found = load({"data_dir": str(data_dir), **flags}, environ).routing.model
    order = ("flag", "environment", "file")
    assert found == next((source for source in order if source in speaking), None)


def test_an_empty_variable_counts_as_unset(home: Path) -> None:
    write(home / "gateway.toml", "[server]\nport = 1\n")
    environ = {"G4F_DATA_DIR": str(home), "G4F_PORT": "", "G4F_API_KEY": "", "G4F_CONFIG": ""}
    server = load({}, environ).server
    assert server.port == 1
    assert server.api_key is None


def test_a_program_may_give_values_instead_of_texts(home: Path) -> None:
    flags = {
        "server.port": 80,
        "server.cors_origin": ["http://a"],
        "server.debug": True,
        "routing.model": None,
        "data_dir": home,
    }
    found = load(flags, {"G4F_MODEL": "m"})
    assert (found.server.port, found.server.cors_origin) == (80, ("http://a",))
    assert found.server.debug
    assert found.routing.model == "m"
    assert found.data_dir == home
    assert problems({"server.port": 80.5}, {}) == (
        "server.port (--port): expected an integer, got a number",
    )
    assert problems({"server.prot": 80}, {}) == (
        "server.prot: unknown setting; did you mean server.port?",
    )


@pytest.mark.parametrize(
    ("flags", "environ", "expected"),
    [
        ({"data_dir": "flag"}, {"G4F_DATA_DIR": "env", "STATE_DIRECTORY": "/state"}, "~/flag"),
        ({}, {"G4F_DATA_DIR": "env", "STATE_DIRECTORY": "/state"}, "~/env"),
        ({}, {"STATE_DIRECTORY": "/state:/other", "XDG_DATA_HOME": "/xdg"}, "/state"),
        ({}, {"XDG_DATA_HOME": "/xdg"}, "/xdg/g4f_aio"),
        ({}, {"XDG_DATA_HOME": "relative"}, "~/.local/share/g4f_aio"),
        ({}, {"G4F_DATA_DIR": "~/env"}, "~/env"),
    ],
)
def test_the_data_directory_is_looked_up_in_this_order(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: dict[str, str],
    environ: dict[str, str],
    expected: str,
) -> None:
    monkeypatch.setenv("HOME", str(home))
    found = load(flags, {"HOME": str(home), **environ}).data_dir
    assert found == Path(expected.replace("~", str(home)))
    assert not found.exists()


def test_the_file_is_looked_up_by_flag_then_variable_then_in_the_data_directory(home: Path) -> None:
    files = [write(home / name, f"[server]\nport = {at}") for at, name in enumerate("abc")]
    beside = write(home / "data" / "gateway.toml", "[server]\nport = 9")
    environ = {"G4F_CONFIG": "b", "G4F_DATA_DIR": "data"}
    by_flag = load({"config": "a"}, environ)
    assert (by_flag.server.port, by_flag.config) == (0, files[0])
    by_variable = load({}, environ)
    assert (by_variable.server.port, by_variable.config) == (1, files[1])
    by_place = load({}, {"G4F_DATA_DIR": "data"})
    assert (by_place.server.port, by_place.config) == (9, beside)


@pytest.mark.parametrize(
    ("flags", "environ"), [({"config": "none.toml"}, {}), ({}, {"G4F_CONFIG": "none.toml"})]
)
def test_a_named_file_must_be_there(
    home: Path, flags: dict[str, object], environ: dict[str, str]
) -> None:
    assert problems(flags, environ) == (f"{home / 'none.toml'}: there is no such file",)


def test_a_second_call_reads_the_file_again(home: Path) -> None:
    environ = {"G4F_DATA_DIR": str(home)}
    assert load({}, environ).config is None
    write(home / "gateway.toml", "[server]\nport = 1\n")
    assert load({}, environ).server.port == 1
    write(home / "gateway.toml", "[server]\nport = 2\n")
    assert load({}, environ).server.port == 2


def test_a_home_of_nobody_is_an_error_not_a_crash() -> None:
    (problem,) = problems({"data_dir": "~nobody-at-all/x"}, {})
    assert "~nobody-at-all" in problem


def test_mistakes_of_all_sources_are_reported_together(home: Path) -> None:
    write(home / "gateway.toml", "[server]\nprot = 1\n[sever]\n")
    environ = {"G4F_DATA_DIR": str(home), "G4F_DRAIN": "long", "G4F_HOST": "0.0.0.0"}  # noqa: S104
    found = problems({"server.port": "x"}, environ)
    assert found[:4] == (
        "server.prot: unknown setting; did you mean server.port?",
        "sever: unknown section; did you mean server?",
        "server.drain (G4F_DRAIN): expected a number, got 'long'",
        "server.port (--port): expected an integer, got 'x'",
    )
    assert found[4].startswith("server.host: 0.0.0.0 can be reached from other machines")
    assert len(found) == 5


def test_the_error_names_the_file(home: Path) -> None:
    file = write(home / "gateway.toml", "[sever]\n")
    with pytest.raises(SettingsError) as caught:
        load({"data_dir": str(home)}, {})
    assert caught.value.config == file


def test_a_file_that_cannot_be_read_is_the_only_complaint(home: Path) -> None:
    write(home / "gateway.toml", "oops")
    (problem,) = problems({"data_dir": str(home)}, {"G4F_HOST": "10.0.0.1"})
    assert "is not valid TOML" in problem


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "box.example"])  # noqa: S104
def test_a_bind_that_others_can_reach_needs_a_key_or_a_word(home: Path, host: str) -> None:
    environ = {"HOME": str(home), "G4F_HOST": host}
    (problem,) = problems({}, environ)
    assert "server.api_key (--g4f-api-key, G4F_API_KEY)" in problem
    assert "--insecure-no-auth" in problem
    assert load({"server.api_key": "k"}, environ).server.host == host
    assert load({"server.insecure_no_auth": True}, environ).server.host == host


def test_a_faulty_key_is_not_a_missing_one(home: Path) -> None:
    environ = {"HOME": str(home), "G4F_HOST": "0.0.0.0", "G4F_API_KEY": "hid\nden"}  # noqa: S104
    assert problems({}, environ) == (
        "server.api_key (G4F_API_KEY): has a line break or another control character in it",
    )


def test_a_key_for_each_user_is_a_key(home: Path) -> None:
    environ = {"HOME": str(home), "G4F_HOST": "0.0.0.0", "G4F_DATA_DIR": str(home)}  # noqa: S104
    (problem,) = problems({}, environ)
    assert "[keys.NAME]" in problem
    write(home / "gateway.toml", '[keys.alice]\nkey = "a"\n')
    assert set(load({}, environ).keys) == {"alice"}
    write(home / "gateway.toml", '[keys.alice]\nkey = { env = "NONE" }\n')
    assert all(one.startswith("keys.alice") for one in problems({}, environ))


def test_keys_that_clash_are_told_by_their_tables(home: Path) -> None:
    write(
        home / "gateway.toml",
        '[server]\napi_key = "hidden"\n[keys.alice]\nkey = "hidden"\n[keys.local]\nkey = "x"\n',
    )
    assert problems({}, {"G4F_DATA_DIR": str(home)}) == (
        "keys.local: this name is taken; choose another one for the key",
        "keys.alice: has the same key as server.api_key",
    )


def test_a_certificate_and_its_key_come_together_and_exist(home: Path) -> None:
    environ = {"HOME": str(home)}
    cert, key = write(home / "cert.pem", "c"), write(home / "key.pem", "k")
    assert problems({"server.ssl_certfile": "cert.pem"}, environ) == (
        "server.ssl_certfile: needs server.ssl_keyfile as well",
    )
    assert problems({"server.ssl_keyfile": "key.pem"}, environ) == (
        "server.ssl_keyfile: needs server.ssl_certfile as well",
    )
    both: dict[str, object] = {"server.ssl_certfile": "cert.pem", "server.ssl_keyfile": "key.pem"}
    server = load(both, environ).server
    assert (server.ssl_certfile, server.ssl_keyfile) == (cert, key)
    key.unlink()
    assert problems(both, environ) == (f"server.ssl_keyfile: there is no file {key}",)


def test_provider_keys_of_the_environment_are_taken_by_name_but_not_the_servers(home: Path) -> None:
    environ = {
        "HOME": str(home),
        "OPENAI_API_KEY": "sk-hidden",
        "EMPTY_API_KEY": "",
        "G4F_API_KEY": "own-hidden",
        "API_KEY_FILE": "x",
    }
    found = load({}, environ)
    assert found.environment_keys == {"OPENAI_API_KEY": "sk-hidden"}
    assert "hidden" not in repr(found)


def test_an_unknown_variable_is_worth_a_warning_with_the_closest_name(home: Path) -> None:
    environ = {"HOME": str(home), "G4F_PROT": "80", "G4F_XYZZY_PLUGH": "1", "G4F_PORT": "81"}
    found = load({}, environ)
    assert found.server.port == 81
    assert found.warnings == (
        "G4F_PROT is set but is not a setting; did you mean G4F_PORT?",
        "G4F_XYZZY_PLUGH is set but is not a setting",
    )


def test_the_environment_is_this_process_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("G4F_SOMETHING", "1")
    assert environment()["G4F_SOMETHING"] == "1"
