"""The settings file: what it gives, and every mistake by its full key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from g4f_aio.settings import KeySettings, ModelTarget, ProviderSettings
from g4f_aio.settings.secret import SecretStr
from g4f_aio.settings.toml_file import read
from g4f_aio.settings.values import Values

NO_KEYS = 'expected an array of strings, { env = "…" } or { file = "…" }, got a string'


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


def test_a_provider_may_have_several_keys_and_a_limit(file: Path) -> None:
    (file.parent / "key").write_text("sk-3\n", "utf-8")
    text = """
    [providers.OpenAI]
    api_keys = ["sk-1", { env = "SECOND" }, { file = "key" }]
    max_requests = 2
    """
    assert values(file, text, SECOND="sk-2").values["providers"] == {
        "OpenAI": ProviderSettings(
            type="OpenAI",
            api_keys=(SecretStr("sk-1"), SecretStr("sk-2"), SecretStr("sk-3")),
            max_requests=2,
        )
    }


def test_a_user_is_a_key_and_its_limits(file: Path) -> None:
    text = """
    [keys.bob]
    key = { env = "BOB" }
    requests_per_minute = 60
    tokens_per_minute = 100000
    models = ["gpt-4o", "best"]
    [keys."the other one"]
    sha256 = "%s"
    admin = true
    """
    assert values(file, text % ("aB" * 32), BOB="bobs").values["keys"] == {
        "bob": KeySettings(
            key=SecretStr("bobs"),
            requests_per_minute=60,
            tokens_per_minute=100000,
            models=("gpt-4o", "best"),
        ),
        "the other one": KeySettings(sha256="aB" * 32, admin=True),
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
        ("[providers.a]\nmax_requests = 0", "providers.a.max_requests: must be at least 1, not 0"),
        (
            '[providers.a]\napi_keys = "hidden"',
            f"providers.a.api_keys: {NO_KEYS}",
        ),
        ('[providers.a]\napi_keys = ["x", "x"]', "providers.a.api_keys: has a key twice"),
        (
            '[providers.a]\napi_keys = ["x", { env = "NOT_SET" }]',
            "providers.a.api_keys: the environment variable NOT_SET is not set",
        ),
        ("[keys.bob]", "keys.bob: needs either key or sha256"),
        (
            f'[keys.bob]\nkey = "x"\nsha256 = "{"0" * 64}"',
            "keys.bob: needs either key or sha256",
        ),
        ('[keys.""]\nkey = "x"', 'keys."": a key\'s name is of printable ASCII and not empty'),
        (
            '[keys."bö"]\nkey = "x"',
            'keys."bö": a key\'s name is of printable ASCII and not empty',
        ),
        (
            '[keys.bob]\nkey = "x"\nrequests_per_minute = 0',
            "keys.bob.requests_per_minute: must be at least 1, not 0",
        ),
        ("keys = []", "keys: expected a table, got an array"),
        ("[routing]\nretries = -1", "routing.retries: must be at least 0, not -1"),
        (
            "[routing]\nhedge_share = 1.5",
            "routing.hedge_share: must be between 0 and 1, not 1.5",
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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[keys]\nbob = "hidden"', "keys.bob: expected a table, got a string"),
        ("[keys.bob]\nkey = 5", "keys.bob.key: expected a string, "),
        ('[keys.bob]\nkey = { env = "X" }', "keys.bob.key: the environment variable X is not"),
        ('[keys.bob]\nkey = "hidden"\nmodel = ["m"]', "keys.bob.model: unknown setting"),
    ],
)
def test_a_mistake_in_a_users_key_is_named_first(file: Path, text: str, problem: str) -> None:
    found = problems(file, text)
    assert found[0].startswith(problem)
    assert "hidden" not in "".join(found)


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


def test_a_link_of_a_chain_may_have_a_condition(file: Path) -> None:
    text = '[models.m]\nproviders = [{ provider = "a", when = "ttft < 3" }, { provider = "b" }]'
    assert values(file, text).values["models"] == {
        "m": (ModelTarget("a", when="ttft < 3"), ModelTarget("b"))
    }


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ('"eror_rate < 1"', "no name 'eror_rate' at character 1; did you mean error_rate?"),
        ('"ttft <"', "expected a name or a number, but it ends"),
        ("true", "expected a string, got a boolean"),
    ],
)
def test_a_mistake_in_a_condition_is_named_by_its_link(file: Path, when: str, problem: str) -> None:
    text = (
        f'[models."m:1"]\nproviders = [{{ provider = "a" }}, {{ provider = "b", when = {when} }}]'
    )
    assert problems(file, text) == [f'models."m:1".providers[1].when: {problem}']
