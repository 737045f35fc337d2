"""Hosted APIs: each is one address and one key, and that is all there is to them."""

from __future__ import annotations

import ast
import inspect

import attrs
import pytest
from yarl import URL

from g4f_aio.core.models import Capability
from g4f_aio.gateway.plugins import find_plugins, load_class
from g4f_aio.providers import openai_presets
from g4f_aio.providers.openai_compatible import CHAT
from g4f_aio.providers.openai_presets import Hosted, Mistral

PRESETS: list[type[Hosted]] = [
    cls
    for cls in vars(openai_presets).values()
    if isinstance(cls, type) and issubclass(cls, Hosted) and cls is not Hosted
]


@pytest.mark.parametrize("cls", PRESETS)
def test_it_needs_a_key_and_nothing_else(cls: type[Hosted]) -> None:
    preset = cls()
    assert preset.key == "required"
    assert preset.missing() is None
    assert not preset.local
    more = Capability.EMBEDDINGS | Capability.MODERATIONS
    assert preset.capabilities & ~more == CHAT
    assert all(flag in preset.capabilities for flag in preset.defaults)


@pytest.mark.parametrize("cls", PRESETS)
def test_its_key_goes_over_tls_only(cls: type[Hosted]) -> None:
    url = URL(cls().base_url)
    assert url.scheme == "https"
    assert url.host is not None
    assert "." in url.host
    assert not cls().base_url.endswith("/")


@pytest.mark.parametrize("cls", PRESETS)
def test_it_says_who_it_is(cls: type[Hosted]) -> None:
    assert cls.label
    assert URL(str(cls.url)).scheme == "https"
    assert str(cls.__doc__).startswith("https://"), "its docstring is its documentation's address"


@pytest.mark.parametrize("cls", PRESETS)
def test_it_is_installed_under_its_name(cls: type[Hosted]) -> None:
    assert load_class(find_plugins()[cls.name]) is cls


def test_the_names_are_the_ones_agreed_upon() -> None:
    assert {cls.name for cls in PRESETS} == {
        "OpenAI",
        "OpenRouter",
        "Groq",
        "DeepSeek",
        "Mistral",
        "Together",
        "DeepInfra",
        "Cerebras",
        "XAI",
        "Nvidia",
        "HuggingFace",
        "Fireworks",
        "GitHubModels",
    }


def test_no_two_share_an_address() -> None:
    assert len({cls().base_url for cls in PRESETS}) == len(PRESETS)


def test_another_address_is_a_setting() -> None:
    moved = attrs.evolve(openai_presets.OpenAI(), base_url="https://eu.api.openai.com/v1/")
    assert moved.base_url == "https://eu.api.openai.com/v1"


def test_who_refuses_stream_options_is_not_sent_them() -> None:
    assert not Mistral().stream_usage


def test_thoughts_are_sent_back_to_those_that_take_them() -> None:
    taken = {cls.name: cls().reasoning_content for cls in PRESETS}
    some = {name: which for name, which in taken.items() if which != "never"}
    assert some == {"DeepSeek": "required", "OpenRouter": "tools", "Fireworks": "tools"}


def test_who_refuses_max_tokens_is_not_sent_them() -> None:
    assert [cls.name for cls in PRESETS if cls().max_completion_tokens] == ["OpenAI"]


def test_a_preset_holds_no_code() -> None:
    tree = ast.parse(inspect.getsource(openai_presets))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
