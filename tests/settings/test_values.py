"""One value: converted from a text, taken strictly from a file."""

from __future__ import annotations

import contextlib
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.settings import ProviderSettings, options
from g4f_aio.settings.options import Option, table_options
from g4f_aio.settings.secret import SecretStr
from g4f_aio.settings.values import Problem, from_data, from_text

BASE = Path("/base")


def option(path: str) -> Option:
    """The option with that key."""
    return next(found for found in options() if found.path == path)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("server.port", " 80 ", 80),
        ("server.drain", "2", 2.0),
        ("server.debug", "true", True),
        ("server.debug", "1", True),
        ("server.debug", "OFF", False),
        ("server.host", "::1", "::1"),
        ("server.cors_origin", "http://a, http://b,", ("http://a", "http://b")),
        ("server.cors_origin", "", ()),
        ("server.ssl_certfile", "cert.pem", BASE / "cert.pem"),
        ("server.ssl_certfile", "/etc/cert.pem", Path("/etc/cert.pem")),
        ("server.ssl_certfile", "", None),
        ("routing.model", "", None),
        ("server.api_key", "sk-1", SecretStr("sk-1")),
    ],
)
def test_a_text_is_converted(path: str, text: str, value: object) -> None:
    found = from_text(option(path), text, BASE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("server.port", "80a", "expected an integer, got '80a'"),
        ("server.port", "8.0", "expected an integer, got '8.0'"),
        ("server.drain", "long", "expected a number, got 'long'"),
        ("server.debug", "perhaps", "expected true or false, got 'perhaps'"),
        ("server.host", "", "must be a host name or an address and nothing else, not ''"),
        ("server.log_format", "", 'must be "text" or "json", not \'\''),
        ("server.api_key", "", "is empty; leave it out to have none"),
    ],
)
def test_a_text_of_another_type_is_refused(path: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        from_text(option(path), text, BASE)


def test_a_home_directory_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert from_text(option("server.ssl_keyfile"), "~/key", BASE) == Path("/home/me/key")


def test_a_home_directory_of_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="no home directory for ~nobody-at-all"):
        from_text(option("server.ssl_keyfile"), "~nobody-at-all/key", BASE)


@pytest.mark.parametrize(
    ("path", "data", "value"),
    [
        ("server.port", 80, 80),
        ("server.drain", 2, 2.0),
        ("server.drain", 2.5, 2.5),
        ("server.debug", True, True),
        ("server.host", "box", "box"),
        ("server.cors_origin", ["http://a"], ("http://a",)),
        ("server.ssl_certfile", "cert.pem", BASE / "cert.pem"),
        ("server.ssl_certfile", Path("cert.pem"), BASE / "cert.pem"),
        ("server.api_key", "sk-1", SecretStr("sk-1")),
        ("server.api_key", {"env": "KEY"}, SecretStr("from-env")),
        ("server.api_key", None, None),
    ],
)
def test_data_of_the_right_type_is_taken(path: str, data: object, value: object) -> None:
    found = from_data(option(path), data, BASE, {"KEY": "from-env"})
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("path", "data", "problem"),
    [
        ("server.port", "80", "expected an integer, got a string"),
        ("server.port", 80.0, "expected an integer, got a number"),
        ("server.port", True, "expected an integer, got a boolean"),
        ("server.drain", False, "expected a number, got a boolean"),
        ("server.debug", 1, "expected true or false, got an integer"),
        ("server.host", ["a"], "expected a string, got an array"),
        ("server.host", date(2026, 1, 1), "expected a string, got a date or time"),
        ("server.host", {"env": "HOST"}, "expected a string, got a table"),
        ("server.cors_origin", "http://a", "expected an array of strings, got a string"),
        ("server.cors_origin", [1], "expected an array of strings, got an array"),
        ("server.ssl_certfile", 1, "expected a path, got an integer"),
    ],
)
def test_data_of_another_type_is_refused(path: str, data: object, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        from_data(option(path), data, BASE, {})


@pytest.mark.parametrize(
    "data",
    [
        12345678,
        ["hidden"],
        {},
        {"env": "A", "file": "b"},
        {"env": 1},
        {"evn": "hidden"},
        {"file": ["hidden"]},
    ],
)
def test_a_secret_of_another_form_is_refused_without_showing_it(data: object) -> None:
    expected = 'expected a string, { env = "…" } or { file = "…" }, got '
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}") as caught:
        from_data(option("server.api_key"), data, BASE, {})
    assert "hidden" not in str(caught.value)
    assert "123" not in str(caught.value)


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(ValueError, match=r"^the environment variable MY_KEY is not set$"):
        from_data(option("server.api_key"), {"env": "MY_KEY"}, BASE, {"MY_KEY": ""})


def keys() -> Option:
    """The option for several keys."""
    return next(
        found
        for found in table_options(ProviderSettings, "providers.a")
        if found.name == "api_keys"
    )


def test_several_secrets_are_each_taken_from_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n", "utf-8")
    data = ["plain", {"env": "KEY"}, {"file": "key"}]
    found = from_data(keys(), data, tmp_path, {"KEY": "from-env"})
    assert found == ("plain", "from-env", "from-file")
    assert {type(one) for one in found} == {SecretStr}
    assert from_data(keys(), (), BASE, {}) == ()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("hidden", 'expected an array of strings, { env = "…" } or { file = "…" }, got a string'),
        ({"env": "hidden"}, "expected an array of strings, .*, got a table"),
        (["a", 5], 'expected a string, { env = "…" } or { file = "…" }, got an integer'),
        (["a", ["hidden"]], "expected a string, .*, got an array"),
        (["a", {"evn": "hidden"}], "expected a string, .*, got a table"),
        (["a", None], "expected a string, .*"),
        (["a", {"env": "MY_KEY"}], "the environment variable MY_KEY is not set"),
        (["a", {"file": "no-such-file"}], "cannot read .*no-such-file: No such file or directory"),
        (["a", ""], "is empty; leave it out to have none"),
        (["hidden", "hidden"], "has a key twice"),
        (["hidden\n"], "has a line break or another control character in it"),
    ],
    ids=str,
)
def test_a_mistake_in_one_of_several_secrets_is_told_without_showing_any(
    data: object, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$") as caught:
        from_data(keys(), data, BASE, {})
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_in_a_file_loses_the_line_end_only(tmp_path: Path, end: str) -> None:
    (tmp_path / "key").write_bytes(f" sk-ü {end}".encode())
    assert from_data(option("server.api_key"), {"file": "key"}, tmp_path, {}) == " sk-ü "
    whole = {"file": str(tmp_path / "key")}
    assert from_data(option("server.api_key"), whole, BASE, {}) == " sk-ü "


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read .*key: No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"hidden\nkey\n", "has a line break"),
        (b"hidden\xff", "is not UTF-8 text"),
    ],
)
def test_a_file_without_a_usable_secret_is_an_error(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(ValueError, match=problem) as caught:
        from_data(option("server.api_key"), {"file": "key"}, tmp_path, {})
    assert "hidden" not in str(caught.value)


@given(st.sampled_from([found for found in options() if not found.secret]), st.text())
def test_any_text_gives_a_value_of_the_right_type_or_a_value_error(
    chosen: Option, text: str
) -> None:
    with contextlib.suppress(ValueError):
        found = from_text(chosen, text, BASE)
        kind = tuple if chosen.type == tuple[str, ...] else chosen.type
        assert (found is None and chosen.nullable) or isinstance(found, kind)


def test_a_problem_names_its_key_and_where_it_came_from() -> None:
    assert str(Problem("server.port", "is odd")) == "server.port: is odd"
    assert str(Problem("server.port", "is odd", "--port")) == "server.port (--port): is odd"
