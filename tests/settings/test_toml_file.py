"""The settings file: what it gives, and every mistake by its full key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from typed_settings import SecretStr

from g4f_aio.settings import ModelTarget, ProviderSettings
from g4f_aio.settings.toml_file import read
from g4f_aio.settings.values import Values


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the settings file of a test goes."""
    return tmp_path / "gateway.toml"


def values(file: Path, text: str, **environ: str) -> Values:
    """What a file with *text* says."""
    file.write_text(text, encoding="utf-8")
    return read(file, environ)


def problems(file: Path, text: str) -> list[str]:
    """The mistakes of a file with *text*."""
    return [str(problem) for problem in values(file, text).problems]


def test_sections_become_values_by_table_and_key(file: Path) -> None:
    found = values(file, '[server]\nport = 80\n[routing]\nmodel = "m"\n')
    assert found.values == {"server": {"port": 80}, "routing": {"model": "m"}}
    assert found.problems == ()


def test_an_empty_file_and_a_byte_order_mark_are_fine(file: Path) -> None:
    assert values(file, "") == Values("file")
    assert values(file, "\ufeff[server]\r\nport = 80\r\n").values == {"server": {"port": 80}}


def test_a_provider_is_its_own_settings_and_the_options_of_its_class(file: Path) -> None:
    text = """
    [providers.work]
    type = "openai-compatible"
    api_key = { env = "WORK" }
    models = ["a", "b"]
    timeout = 3
    base_url = "http://127.0.0.1"
    headers = { x = 1 }
    [providers.OpenAI]
    """
    assert values(file, text, WORK="sk-1").values["providers"] == {
        "work": ProviderSettings(
            type="openai-compatible",
            api_key=SecretStr("sk-1"),
            models=("a", "b"),
            timeout=3.0,
            options={"base_url": "http://127.0.0.1", "headers": {"x": 1}},
        ),
        "OpenAI": ProviderSettings(type="OpenAI"),
    }


def test_a_model_is_a_chain_of_targets(file: Path) -> None:
    text = """
    [models."gpt-4.1"]
    providers = [{ provider = "work", model = "llama-3.3" }, { provider = "OpenAI" }]
    """
    assert values(file, text).values["models"] == {
        "gpt-4.1": (ModelTarget("work", "llama-3.3"), ModelTarget("OpenAI"))
    }


def test_plug_ins_can_be_switched_off(file: Path) -> None:
    found = values(file, '[plugins]\ndisabled = ["a"]\n')
    assert found.values == {"disabled_plugins": ("a",)}
    assert values(file, "[plugins]\n") == Values("file")


def test_relative_paths_start_beside_the_file(file: Path) -> None:
    (file.parent / "key").write_text("sk-1\n", encoding="utf-8")
    found = values(file, '[server]\napi_key = { file = "key" }\nssl_certfile = "cert.pem"\n')
    assert found.values["server"] == {
        "api_key": "sk-1",
        "ssl_certfile": file.parent / "cert.pem",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[server]\nprot = 80", "server.prot: unknown setting; did you mean server.port?"),
        ("[upstream]\nport = 80", "upstream.port: unknown setting; did you mean server.port?"),
        ("[server]\nxyzzy = 80", "server.xyzzy: unknown setting"),
        ("[sever]\nport = 80", "sever: unknown section; did you mean server?"),
        ("[provider.OpenAI]", "provider: unknown section; did you mean providers?"),
        ("[xyzzy]", "xyzzy: unknown section"),
        ("port = 80", "port: unknown setting; did you mean server.port?"),
        ("server = 80", "server: expected a table, got an integer"),
        ("[[server]]", "server: expected a table, got an array"),
        ('[server]\nport = "80"', "server.port: expected an integer, got a string"),
        ("[server]\nport = 70000", "server.port: must be between 0 and 65535, not 70000"),
        (
            "[upstream]\ntimeout = 0",
            "upstream.timeout: must be a number of seconds above 0, not 0.0",
        ),
        (
            '[upstream]\nproxy = "socks5://hidden"',
            "upstream.proxy: must be a URL that starts with http:// or https://",
        ),
        (
            '[server]\napi_key = { env = "NOT_SET" }',
            "server.api_key: the environment variable NOT_SET is not set",
        ),
        (
            '[providers.a]\napi_key = { env = "NOT_SET" }',
            "providers.a.api_key: the environment variable NOT_SET is not set",
        ),
        ('[providers.a]\ntype = ""', "providers.a.type: must not be empty"),
        (
            "[providers.a]\ntimeout = -1",
            "providers.a.timeout: must be a number of seconds above 0, not -1.0",
        ),
        (
            '[providers."a b"]\nenabled = 1',
            'providers."a b".enabled: expected true or false, got an integer',
        ),
        ("providers = []", "providers: expected a table, got an array"),
        ("[providers]\na = 1", "providers.a: expected a table, got an integer"),
        (
            '[providers."a/b"]',
            "providers.\"a/b\": a provider's name has no '/', no ':' and is not empty",
        ),
        ('[providers.""]', "providers.\"\": a provider's name has no '/', no ':' and is not empty"),
        ('[models."m:1"]', 'models."m:1".providers: is missing'),
        (
            "[models.m]\nproviders = []",
            "models.m.providers: expected an array of at least one { provider = … }, got an array",
        ),
        (
            '[models.m]\nproviders = "a"',
            "models.m.providers: expected an array of at least one { provider = … }, got a string",
        ),
        (
            '[models.m]\nproviders = [{ provider = "a", modle = "b" }]',
            "models.m.providers[0].modle: unknown setting; did you mean models.m.providers[0].model?",
        ),
        (
            '[models.m]\nproviders = [{ provider = "a" }, { model = "b" }]',
            "models.m.providers[1].provider: is missing",
        ),
        (
            '[models.m]\nproviders = ["a"]',
            "models.m.providers[0]: expected a table, got a string",
        ),
        (
            '[plugins]\ndisable = ["a"]',
            "plugins.disable: unknown setting; did you mean plugins.disabled?",
        ),
        (
            "[plugins]\ndisabled = [1]",
            "plugins.disabled: expected an array of strings, got an array",
        ),
    ],
)
def test_a_mistake_is_named_by_its_full_key_and_the_closest_good_one(
    file: Path, text: str, problem: str
) -> None:
    assert problems(file, text) == [problem]


def test_all_mistakes_are_found_at_once_and_the_rest_is_taken(file: Path) -> None:
    found = values(
        file, '[server]\nport = "x"\nprot = 1\nhost = "box"\n[sever]\n[providers]\na = 1'
    )
    assert [problem.path for problem in found.problems] == [
        "server.port",
        "server.prot",
        "sever",
        "providers.a",
    ]
    assert found.values["server"] == {"host": "box"}


def test_no_value_of_a_faulty_secret_is_shown(file: Path) -> None:
    text = '[server]\napi_key = ["hidden"]\n[providers.a]\napi_key = { evn = "hidden" }\n'
    found = problems(file, text)
    assert len(found) == 2
    assert not [problem for problem in found if "hidden" in problem]


def test_what_is_no_toml_is_a_problem_with_its_place(file: Path) -> None:
    (problem,) = problems(file, "[server]\nport = = 80\napi_key = 'hidden'\n")
    assert problem.startswith(f"{file}: is not valid TOML")
    assert "line 2" in problem
    assert "hidden" not in problem


def test_what_is_no_text_is_a_problem(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    (problem,) = read(file, {}).problems
    assert problem.path == str(file)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, {}).problems
    assert str(problem) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_file_that_is_not_there_is_for_the_caller_to_judge(file: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(file, {})


def test_secrets_do_not_show_in_the_repr(file: Path) -> None:
    assert "hidden" not in repr(values(file, '[server]\napi_key = "hidden"'))


@pytest.mark.parametrize("name", ["plain", "with-dash_1", "with.dot", "with space", "ü"])
def test_a_key_is_quoted_as_toml_quotes_it(file: Path, name: str) -> None:
    (problem,) = problems(file, f'[providers."{name}"]\nenabled = 1')
    path = problem.partition(".enabled:")[0]
    assert tomllib.loads(f"[{path}]") == {"providers": {name: {}}}
