"""Who gets a caller's credential, and who can do what is asked."""

from __future__ import annotations

import pytest

from g4f_aio import (
    Capability,
    ProviderNotFoundError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.gateway.candidates import (
    Candidate,
    capable,
    demand_usable,
    key_for,
    without_unnamed,
)
from g4f_aio.gateway.registry import Entry
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.openai_presets import OpenAI
from g4f_aio.providers.scripted import Scripted
from g4f_aio.settings import ProviderSettings

WORDS = Entry("words", "scripted", "d", "1", ProviderSettings("scripted"), Scripted(), chosen=True)
FULL = Entry(
    "full",
    "openai-compatible",
    "d",
    "1",
    ProviderSettings("openai-compatible"),
    OpenAICompatible(base_url="http://127.0.0.1:9/v1"),
    chosen=True,
)


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({}, None),
        ({"OpenAI": "named"}, "named"),
        ({"openai": "named"}, "named"),
        ({"": "any"}, "any"),
        ({"": "any", "OpenAI": "named"}, "named"),
        ({"Groq": "other"}, None),
    ],
)
def test_a_callers_key_is_found_by_name_or_fits_any(keys: dict[str, str], key: str | None) -> None:
    assert key_for("OpenAI", keys) == key


def test_an_unnamed_key_is_not_for_the_next_one() -> None:
    assert without_unnamed({"": "any", "Groq": "named"}) == {"Groq": "named"}


def test_a_callers_key_does_not_show() -> None:
    assert "sk-secret" not in repr(Candidate(FULL, "m", "sk-secret"))


def test_only_those_who_can_are_asked() -> None:
    both = [Candidate(WORDS, "w"), Candidate(FULL, "f")]
    assert capable(both, Capability.CHAT) == both
    assert capable(both, Capability.CHAT | Capability.TOOLS) == both[1:]


@pytest.mark.parametrize(
    ("need", "param"),
    [
        (Capability.TOOLS, "tools"),
        (Capability.JSON_SCHEMA, "response_format"),
        (Capability.JSON_OBJECT, "response_format"),
        (Capability.VISION, "messages"),
        (Capability.AUDIO_INPUT, "messages"),
        (Capability.FILES, "messages"),
        (Capability.AUDIO_OUTPUT, "modalities"),
        (Capability.SEVERAL_CHOICES, "n"),
        (Capability.LOGPROBS, "logprobs"),
        (Capability.TOOLS | Capability.VISION, None),
    ],
)
def test_what_nobody_can_is_refused_by_its_parameter(need: Capability, param: str | None) -> None:
    with pytest.raises(UnsupportedError) as caught:
        capable([Candidate(WORDS, "w")], Capability.CHAT | need)
    assert caught.value.param == param
    assert caught.value.message == f"words cannot supply: {', '.join(need.names)}"


def test_what_nobody_alone_can_is_refused() -> None:
    painter = Entry("painter", "p", "d", "1", ProviderSettings("p"), Painter(), chosen=True)
    caller = Entry("caller", "p", "d", "1", ProviderSettings("p"), Caller(), chosen=True)
    with pytest.raises(UnsupportedError, match="painter, caller cannot supply: tools"):
        capable(
            [Candidate(painter, "p"), Candidate(caller, "c")],
            Capability.CHAT | Capability.TOOLS | Capability.VISION,
        )


class Painter(Scripted):
    """Sees pictures."""

    capabilities = Capability.CHAT | Capability.VISION


class Caller(Scripted):
    """Calls tools."""

    capabilities = Capability.CHAT | Capability.TOOLS


def test_a_good_provider_is_usable() -> None:
    demand_usable(FULL, own_key=False, ignored=False)


@pytest.mark.parametrize(
    ("entry", "ignored", "error", "message"),
    [
        (
            Entry("gone", "gone", "d", "1", ProviderSettings("gone"), error="no module"),
            False,
            UpstreamError,
            "Provider gone is broken: no module",
        ),
        (
            Entry("off", "s", "d", "1", ProviderSettings("s", enabled=False), Scripted()),
            False,
            ProviderNotFoundError,
            "Provider off is switched off in the settings",
        ),
        (FULL, True, ProviderNotFoundError, "full is switched off by routing.ignored_providers"),
        (
            Entry("OpenAI", "OpenAI", "d", "1", ProviderSettings("OpenAI"), OpenAI()),
            False,
            UpstreamAuthError,
            "OpenAI is not configured; it needs an API key: set OPENAI_API_KEY, or api_key in",
        ),
        (
            Entry("s", "scripted", "d", "1", ProviderSettings("scripted"), Scripted()),
            False,
            UpstreamAuthError,
            r"s is not configured; it needs your consent: add \[providers.s\]",
        ),
    ],
)
def test_why_a_provider_cannot_be_used_is_said(
    entry: Entry,
    error: type[Exception],
    message: str,
    *,
    ignored: bool,
) -> None:
    with pytest.raises(error, match=message):
        demand_usable(entry, own_key=False, ignored=ignored)


def test_the_callers_own_key_is_as_good() -> None:
    entry = Entry("OpenAI", "OpenAI", "d", "1", ProviderSettings("OpenAI"), OpenAI())
    demand_usable(entry, own_key=True, ignored=False)
