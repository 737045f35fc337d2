"""Fields are settings: a settings file must be able to say them, and no log may show a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

import attrs
import pytest

from g4f_aio import Provider
from g4f_aio.providers.azure import Azure
from g4f_aio.providers.cloudflare import Cloudflare
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.openai_presets import Groq
from g4f_aio.testing.settings_checks import addressed_to
from tests.testing.judged import Good, said


@attrs.frozen
class Region:
    """A table within the table."""

    zone: str = "eu"


@attrs.frozen(kw_only=True)
class Sound(Good):
    """Every kind of setting that there may be."""

    name: ClassVar[str] = "zoo"
    text: str = ""
    maybe: str | None = None
    number: int = 1
    ratio: float | None = 0.5
    flag: bool = False
    tags: tuple[str, ...] = ()
    table: dict[str, Any] = attrs.field(factory=dict)
    region: Region = Region()
    regions: tuple[Region, ...] = ()
    path: Path | None = None
    mode: Literal["a", "b"] = "a"
    max_tokens: int | None = None
    token_counts: tuple[int, ...] = ()
    secret: str = attrs.field(default="", repr=False)
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)
    cookies: tuple[str, ...] = attrs.field(default=(), repr=False)
    key_lengths: dict[int, int] = attrs.field(factory=dict)
    _key: str = attrs.field(init=False, repr=False, default="")
    _made: Callable[[], None] | None = attrs.field(init=False, default=None)


async def test_sound_settings_are_no_fault() -> None:
    assert await said(Sound) == []


def having(field: Any, annotation: Any, name: str = "extra") -> type[Provider]:
    """A provider with a setting more."""
    body = {"__annotations__": {"name": ClassVar[str], name: annotation}, "name": "zoo"}
    cls = type("Having", (Good,), {**body, name: field, "__module__": __name__})
    return attrs.frozen(kw_only=True)(cls)


@pytest.mark.parametrize(
    ("cls", "fault"),
    [
        (having(None, datetime), "the setting extra is a datetime, which no settings file can say"),
        (
            having(None, tuple[datetime, ...]),
            "the setting extra is a tuple[datetime.datetime, ...]",
        ),
        (having(None, Callable[[], int]), "the setting extra is a collections.abc.Callable"),
        (having("", int | str), "the setting extra is a int | str, which no settings file can say"),
        (having(None, object), "the setting extra is a object"),
        (having(attrs.field(), str), "the setting extra has no default, so who has not configured"),
        (having("", str, "api_key"), "the setting api_key is one that the gateway has for every"),
        (having(5.0, float, "timeout"), "the setting timeout is one that the gateway has for"),
        (having("", str, "_extra"), "the field _extra would be a setting: give it init=False"),
        (having(None, "Nowhere"), "its annotations cannot be read at run time (name 'Nowhere' is"),
    ],
)
async def test_fields_that_are_no_settings(cls: type[Provider], fault: str) -> None:
    found = await said(cls)
    assert found[0].startswith(fault)


@pytest.mark.parametrize(
    ("name", "annotation", "default"),
    [
        ("api_token", str, ""),
        ("password", str | None, None),
        ("cookies", tuple[str, ...], ()),
        ("session_cookies", list[str], attrs.field(factory=list)),
        ("client_secret", str, "built-in"),
        ("headers", dict[str, str], attrs.field(factory=dict)),
    ],
)
async def test_a_secret_that_repr_shows(name: str, annotation: Any, default: Any) -> None:
    (found,) = await said(having(default, annotation, name))
    assert found.startswith(f"the setting {name} is shown by repr(), and so in logs: declare it")
    assert "attrs.field(repr=False)" in found


async def test_a_secret_that_is_checked_is_known_by_its_field() -> None:
    length: Any = attrs.validators.max_len(3)
    shown = having(attrs.field(default="", validator=length), str, "token")
    (found,) = await said(shown)
    assert found.startswith("the setting token is shown by repr()")
    hidden = having(attrs.field(default="", validator=length, repr=False), str, "token")
    assert await said(hidden) == []


@attrs.frozen(kw_only=True)
class Derived(Good):
    """It hides its token and shows what it makes of it."""

    name: ClassVar[str] = "zoo"
    token: str = attrs.field(default="", repr=False)
    _sent: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_sent", f"Bearer {self.token}")


async def test_what_is_made_of_a_secret_is_one() -> None:
    (found,) = await said(Derived)
    assert found.startswith("what is made of the setting token is shown by repr()")


HERE = "http://127.0.0.1:5"


@attrs.frozen(kw_only=True)
class Addresses(Good):
    """Addresses, and what only looks like some."""

    name: ClassVar[str] = "zoo"
    endpoint: str | None = None
    login_url: str = ""
    pages: str = "https://pages.example:8080/a/b?c=d"
    curl: str = ""
    size: int = 5


def test_addresses_lead_to_the_upstream_and_keep_their_paths() -> None:
    found = addressed_to(Addresses(), HERE, ())
    assert found == Addresses(base_url=HERE, endpoint=HERE, login_url=HERE, pages=f"{HERE}/a/b?c=d")


def test_what_is_given_stays() -> None:
    made = addressed_to(Addresses(pages="https://x"), HERE, ("pages", "base_url"))
    assert made == Addresses(pages="https://x", endpoint=HERE, login_url=HERE)


def test_who_has_no_address_stays_the_same() -> None:
    made = Region()
    assert addressed_to(made, HERE, ()) is made  # type: ignore[arg-type,comparison-overlap]


@pytest.mark.parametrize(
    ("provider", "base_url"),
    [
        (OpenAICompatible(), HERE),
        (OpenAICompatible(base_url="http://127.0.0.1:9/v1"), f"{HERE}/v1"),
        (Groq(), f"{HERE}/openai/v1"),
        (Azure(), HERE),
        (Azure(resource="mine"), HERE),
        (Cloudflare(), HERE),
        (Cloudflare(account_id="a"), f"{HERE}/client/v4/accounts/a/ai/v1"),
    ],
)
def test_the_built_in_ones_can_be_led_there(provider: Any, base_url: str) -> None:
    assert addressed_to(provider, HERE, ()).base_url == base_url  # type: ignore[attr-defined]
