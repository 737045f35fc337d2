"""The names of the settings: unique, and the nearest one for a wrong one."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.settings import (
    CacheSettings,
    FetchSettings,
    RoutingSettings,
    SearchSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    UpstreamSettings,
    options,
    restart_needed,
    settings_table,
)
from g4f_aio.settings.options import PLACES, option_suggestion, suggestion, toml
from g4f_aio.settings.secret import SecretStr

NAMES = {option.path: option for option in options()}


def test_every_field_of_every_section_is_an_option() -> None:
    sections = (
        ServerSettings,
        RoutingSettings,
        UpstreamSettings,
        CacheSettings,
        FetchSettings,
        SearchSettings,
        StorageSettings,
    )
    fields = {
        f"{cls.__name__.removesuffix('Settings').lower()}.{field.name}"
        for cls in sections
        for field in attrs.fields(cls)
    }
    assert set(NAMES) == fields
    assert len(fields) == len(options())


def test_flags_and_variables_are_unique() -> None:
    flags = [option.flag for option in options()] + [f"--{place}" for place in PLACES]
    variables = [option.env for option in options()] + list(PLACES.values())
    assert len(set(flags)) == len(flags)
    assert len(set(variables)) == len(variables)


def test_no_flag_is_the_negation_of_another() -> None:
    flags = {option.flag for option in options()}
    assert not flags & {f"--no-{flag[2:]}" for flag in flags}


def test_names_follow_from_the_field_unless_told_otherwise() -> None:
    key = NAMES["server.api_key"]
    assert (key.flag, key.env, key.type, key.nullable) == (
        "--g4f-api-key",
        "G4F_API_KEY",
        SecretStr,
        True,
    )
    timeout = NAMES["upstream.stream_timeout"]
    assert (timeout.flag, timeout.env) == ("--stream-timeout", "G4F_STREAM_TIMEOUT")


def test_every_option_has_a_help_text_on_one_line() -> None:
    for option in options():
        assert option.help
        assert "\n" not in option.help
        assert "|" not in option.help


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("server.prot", "server.port"),
        ("server.cors_origins", "server.cors_origin"),
        ("server.timeout", "upstream.timeout"),
        ("upstream.port", "server.port"),
        ("port", "server.port"),
        ("debgu", "server.debug"),
        ("routing.log_fromat", "server.log_format"),
    ],
)
def test_a_wrong_key_gets_the_closest_right_one(wrong: str, right: str) -> None:
    assert option_suggestion(wrong) == f"; did you mean {right}?"


def test_a_key_like_no_other_gets_no_suggestion() -> None:
    assert option_suggestion("server.xyzzy") == ""
    assert suggestion("xyzzy", ["a.b"]) == ""


def test_what_a_running_server_cannot_change_is_named() -> None:
    new = Settings(server=ServerSettings(port=80, drain=1.0, debug=True))
    assert restart_needed(Settings(), new) == ("server.port", "server.debug")
    assert restart_needed(new, new) == ()


def test_the_table_has_a_row_for_each_setting() -> None:
    head, rule, *rows = settings_table().splitlines()
    assert head.count("|") == rule.count("|") == 6
    for option, row in zip(options(), rows, strict=True):
        assert row.startswith(f"| `{option.path}` | `{option.flag}` | `{option.env}` |")
        assert row.count("|") == 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        ("a", '"a"'),
        (("a", "b"), '["a", "b"]'),
        (1.0, "1.0"),
        ((), "[]"),
    ],
)
def test_a_default_is_written_as_in_the_file(value: object, text: str) -> None:
    assert toml(value) == text
