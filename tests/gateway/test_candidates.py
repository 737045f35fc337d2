"""Who gets a caller's credential, and who can do what is asked."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from g4f_aio import (
    Capability,
    ChatRequest,
    Message,
    ModelInfo,
    Provider,
    ProviderNotFoundError,
    Sampling,
    TextPart,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.gateway.candidates import (
    Candidate,
    capable,
    demand_usable,
    incapable,
    key_for,
    taking,
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


class Talker(Provider):
    """A model of language."""

    name = "talker"


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


def test_a_model_s_own_flags_go_before_its_provider_s() -> None:
    talks = Capability.CHAT | Capability.STREAM
    assert Candidate(FULL, "m").capabilities == FULL.capabilities
    assert Candidate(FULL, "m", info=ModelInfo("m")).capabilities == FULL.capabilities
    known = Candidate(FULL, "m", info=ModelInfo("m", talks | Capability.VISION)).capabilities
    assert Capability.VISION in known
    assert Capability.TOOLS not in known
    server = Capability.JSON_SCHEMA | Capability.LOGPROBS | Capability.SEVERAL_CHOICES
    assert server in known, "no list of models tells of these"
    assert server not in Candidate(WORDS, "m", info=ModelInfo("m", talks)).capabilities


def test_what_a_list_says_of_a_model_only_counts_against_others() -> None:
    blind = Candidate(FULL, "blind", info=ModelInfo("blind", Capability.CHAT))
    unknown = Candidate(FULL, "unknown")
    sight = Capability.CHAT | Capability.VISION
    assert capable([blind, unknown], sight) == [unknown]
    assert capable([blind], sight) == [blind]
    assert capable([blind, unknown], Capability.CHAT) == [blind, unknown]
    with pytest.raises(UnsupportedError):
        capable([blind, unknown], Capability.CHAT | Capability.VIDEO)


def test_vision_can_be_supplied_where_a_model_is_named_for_it() -> None:
    entry = Entry("talker", "t", "d", "1", ProviderSettings("t"), Talker(), chosen=True)
    talks = Candidate(entry, "talks", info=ModelInfo("talks", Capability.CHAT | Capability.TOOLS))
    sees = Candidate(entry, "sees", info=ModelInfo("sees", Capability.CHAT | Capability.VISION))
    sight = Capability.CHAT | Capability.VISION
    with pytest.raises(UnsupportedError, match="vision"):
        capable([talks], sight, emulate=True)
    with pytest.raises(UnsupportedError, match="vision"):
        capable([talks], sight, captions=True)
    described = attrs.evolve(talks, supplied=Capability.VISION)
    assert capable([talks], sight, emulate=True, captions=True) == [described]
    assert capable([talks, sees], sight, emulate=True, captions=True) == [sees]
    # who sees goes first, even if something else has to be supplied
    called = attrs.evolve(sees, supplied=Capability.TOOLS)
    needs = sight | Capability.TOOLS
    assert capable([talks, sees], needs, emulate=True, captions=True) == [called]


def test_why_one_is_not_asked_is_said() -> None:
    blind = Candidate(FULL, "blind", info=ModelInfo("blind", Capability.CHAT))
    error = incapable(blind, Capability.CHAT | Capability.VISION)
    assert (error.message, error.param) == ("blind of full cannot supply: vision", "messages")
    several = incapable(blind, Capability.TOOLS | Capability.VISION)
    assert (several.message, several.param) == ("blind of full cannot supply: vision, tools", None)


def test_a_list_is_right_about_who_embeds() -> None:
    """It may be wrong about what a model that chats can do besides."""
    chats = Candidate(FULL, "c", info=ModelInfo("c", capabilities=Capability.CHAT))
    unknown = Candidate(FULL, "u")
    embeds = Candidate(FULL, "e", info=ModelInfo("e", capabilities=Capability.EMBEDDINGS))
    assert capable([chats, unknown, embeds], Capability.EMBEDDINGS) == [unknown, embeds]
    assert capable([chats], Capability.VISION) == [chats]
    with pytest.raises(UnsupportedError, match="full cannot supply: embeddings"):
        capable([chats], Capability.EMBEDDINGS)


@attrs.frozen(kw_only=True)
class Plain(Provider):
    """It takes and gives text, and no stop sequences."""

    name: ClassVar[str] = "plain"
    ignores: ClassVar[frozenset[str]] = frozenset(("stop", "system"))


PLAIN = Entry("plain", "plain", "d", "1", ProviderSettings("plain"), Plain(), chosen=True)
BROKEN = attrs.evolve(PLAIN, name="broken", provider=None)


def test_what_nobody_has_is_supplied_where_that_can_be() -> None:
    plain, full = Candidate(PLAIN, "m"), Candidate(FULL, "m")
    needs = Capability.CHAT | Capability.TOOLS | Capability.JSON_SCHEMA
    assert capable([plain, full], needs, emulate=True) == [full]
    [found] = capable([plain], needs, emulate=True)
    assert found.supplied == Capability.TOOLS | Capability.JSON_SCHEMA
    with pytest.raises(UnsupportedError, match="json_schema"):
        capable([plain], needs)
    with pytest.raises(UnsupportedError, match=r"plain cannot supply: vision$"):
        capable([plain], needs | Capability.VISION, emulate=True)


def test_what_a_list_says_a_model_lacks_is_supplied() -> None:
    info = ModelInfo("m", capabilities=Capability.CHAT)
    [found] = capable(
        [Candidate(FULL, "m", info=info)], Capability.CHAT | Capability.TOOLS, emulate=True
    )
    assert found.supplied == Capability.TOOLS


@pytest.mark.parametrize("info", [None, ModelInfo("scripted", not_a_language_model=True)])
def test_nothing_is_supplied_for_what_follows_no_instructions(info: ModelInfo | None) -> None:
    with pytest.raises(UnsupportedError, match="words cannot supply: tools"):
        capable([Candidate(WORDS, "m", info=info)], Capability.TOOLS, emulate=True)


def test_who_takes_every_parameter_goes_first() -> None:
    plain, full = Candidate(PLAIN, "m"), Candidate(FULL, "m")
    asked = ChatRequest("m", (), sampling=Sampling(stop=("x",)))
    assert taking([plain, full], asked, emulate=True) == [full]
    assert taking([plain], asked, emulate=True) == [plain]
    assert taking([plain], ChatRequest("m", ()), emulate=False) == [plain]
    with pytest.raises(UnsupportedError, match=r"\$\.stop: plain cannot supply stop") as caught:
        taking([plain], asked, emulate=False)
    assert caught.value.param == "stop"
    brief = ChatRequest("m", (Message("system", (TextPart("Be brief."),)),))
    with pytest.raises(UnsupportedError, match=r"\$\.messages: plain cannot supply system"):
        taking([plain], brief, emulate=False)


def test_a_broken_provider_ignores_nothing() -> None:
    assert Candidate(BROKEN, "m").ignores == frozenset()
    assert Candidate(BROKEN, "m").follows_instructions
