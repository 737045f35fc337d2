"""[fetch]: what may be fetched because somebody names it."""

from __future__ import annotations

import pytest

from g4f_aio.settings import FetchSettings, Settings, SettingsError, load


def loaded(**values: object) -> FetchSettings:
    """The section with these values."""
    keys = {f"fetch.{name}": value for name, value in values.items()}
    return load(keys, {"G4F_CONFIG": "/dev/null"}).fetch


def test_nothing_on_this_machine_or_its_network_may_be_fetched_unless_it_is_said() -> None:
    fetch = Settings().fetch
    assert (fetch.urls, fetch.allow, fetch.deny) == (True, (), ())


def test_places_are_addresses_networks_and_hosts() -> None:
    fetch = loaded(allow=("127.0.0.1:8188", "10.0.0.0/8", "files.lan"), deny=("203.0.113.0/24",))
    assert fetch.allow == ("127.0.0.1:8188", "10.0.0.0/8", "files.lan")
    assert fetch.deny == ("203.0.113.0/24",)


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("allow", ("http://files.lan/",), "addresses, networks or hosts"),
        ("allow", ("files.lan", "*.lan"), r"not '\*\.lan'"),
        ("deny", ("files.lan",), "addresses or networks"),
        ("deny", ("10.0.0.1/8",), "addresses or networks"),
        ("max_size", 0, "at least 1"),
        ("max_time", 0.0, "above 0"),
    ],
)
def test_what_is_none_of_these_is_a_mistake(name: str, value: object, what: str) -> None:
    with pytest.raises(SettingsError, match=what) as caught:
        loaded(**{name: value})
    assert caught.value.problems[0].startswith(f"fetch.{name}")
