"""Answers about this gateway: its providers and what they lack, its models, its address."""

from __future__ import annotations

import re

import attrs

from ...core.provider import Facts, ProviderFacts
from .question import Question
from .ways import WAYS

TOOL = "Tool: facts about this gateway, as they are now"
_SHOWN = 20
_NAMED = 3
_ALSO_CALLED = {"LlamaCpp": ("llama-server", "llama.cpp")}
_OFF = "it is switched off in the settings"

_MODELS = re.compile(
    r"(?:(?:which|what|list|show(?: me)?|welche|zeige?(?: mir)?)(?: are)?(?: all| my| the| your)*"
    r"(?: available| configured)? (?:models?|modelle|model ids)|(?:my|available) models)\b"
    r"(?: (?:are|can|should|do|does|have|there|available|found|i|we|you|use|exist|offer|offered|got|ready|here"
    r"|this|the|gateway|gibt|es|habe|kann|ich|verfügbar|sind|has|know|provide|now|right))*"
)
_PROVIDERS = re.compile(
    r"(?:(?:which|what|list|show(?: me)?|welche|zeige?(?: mir)?)(?: are)?(?: all| my| the| your)*"
    r"(?: available| configured| broken| local)? (?:providers|plug-?ins|anbieter|services)"
    r"|(?:my|available) providers)\b"
    r"(?: (?:are|can|do|have|there|available|configured|found|i|we|you|use|exist|broken|ready|working"
    r"|running|connected|here|this|the|gateway|gibt|es|habe|kann|ich|sind|verfügbar|has|know|now|right))*"
)
_LACKING = re.compile(
    r"what(?:'s| is| are)? (?:still )?(?:missing|lacking|broken|not (?:configured|working))"
    r"|what do i (?:still )?(?:need|miss|lack)|was fehlt(?: noch)?"
    r"|is (?:anything|something) (?:missing|broken|wrong)"
)
_ADDRESS = re.compile(
    r"(?:(?:what(?:'s| is)|which(?: is)?|where is|tell|was ist|wie ist)(?: the| your| my| this| die)*"
    r"(?: gateway's| server's| api)? (?:address|base ?url|base_url|api url|url|endpoint|port|adresse)"
    r"(?: of)?(?: the| this)?(?: gateway| server| api)?(?: here)?"
    r"|(?:where|on which port|on what port|which port|what port) (?:are you|is this|is the (?:gateway|server))"
    r"(?: (?:running|listening)(?: on)?)?|what (?:base_url|base url) (?:do|should|must) i (?:use|set))"
)
_VERSION = re.compile(
    r"(?:(?:what|which)(?:'s| is)?(?: the| your| this)*(?: g4f_aio| gateway)? version(?: is this| are you"
    r"| of g4f_aio| do you have| is running| of the gateway| of this gateway)?|version|--version)"
)
_ASKING = re.compile(
    r"(?:is|are|was|does|do|did|can|has|have|what|what's|which|why|how|where|status|state|check|test|show"
    r"|connect|ist|sind|wie|warum|wieso|was|welche|kann|läuft)\b"
)
_WHAT_IS = re.compile(r"(?:what is|what's|whats|who is|tell me about|about|was ist)? *")
#: with a provider's name, one of these asks how it stands
_STATE = re.compile(
    r"\b(?:running|runs?|work|works|working|configured|missing|connected|available|found|up|online|alive"
    r"|status|state|needs?|lacks?|lacking|broken|wrong|connect|key|ready|errors?|used?|why|models?|there"
    r"|set ?up|reach|reachable|enabled|installed|läuft|fehlt|verbinde\w*|bereit|modelle|warum|konfiguriert"
    r"|add)\b"
)


@attrs.frozen
class GatewayFacts:
    """What a gateway knows about itself, at one moment, and which provider is this assistant."""

    version: str
    address: str
    providers: tuple[ProviderFacts, ...]
    own_name: str

    @classmethod
    async def of(cls, facts: Facts, own_name: str) -> GatewayFacts:
        """The facts as they are now."""
        return cls(facts.version, facts.address.rstrip("/"), await facts.providers(), own_name)

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the configured providers but this assistant, each once."""
        return tuple(dict.fromkeys(model for provider in self.others for model in provider.models))

    @property
    def others(self) -> tuple[ProviderFacts, ...]:
        """The configured providers, without this assistant."""
        return tuple(
            provider
            for provider in self.providers
            if provider.configured and provider.error is None and provider.name != self.own_name
        )


def is_about_gateway(question: Question) -> bool:
    """Whether the question can only be meant for this gateway."""
    patterns = (_MODELS, _PROVIDERS, _LACKING, _ADDRESS, _VERSION)
    return any(pattern.fullmatch(question.line) for pattern in patterns)


def gateway_answer(question: Question, facts: GatewayFacts) -> str | None:
    """The answer to a question about this gateway; None when it is about something else."""
    answer = _answer(question.line, facts)
    return None if answer is None else f"{answer}\n\n{TOOL}"


def _answer(line: str, facts: GatewayFacts) -> str | None:
    named, rest = _named(line, facts)
    if named and _WHAT_IS.fullmatch(rest):
        return "\n\n".join(
            f"{one.label}: {one.description}\n\n{_state(one, facts)}" for one in named
        )
    if named and _ASKING.match(line) and _STATE.search(rest):
        return "\n\n".join(_state(provider, facts) for provider in named)
    for pattern, answer in (
        (_MODELS, _models),
        (_PROVIDERS, _providers),
        (_LACKING, _lacking),
        (_ADDRESS, _address),
        (_VERSION, _version),
    ):
        if pattern.fullmatch(line):
            return answer(facts)
    return None


def _named(line: str, facts: GatewayFacts) -> tuple[list[ProviderFacts], str]:
    """The providers that the question names, longest name first, and its other words."""
    words = " ".join(re.sub(r"[^\w']+", " ", line).split())
    found: list[tuple[ProviderFacts, str]] = []
    left = words
    for provider in sorted(facts.providers, key=lambda one: (-len(one.name), one.name)):
        spelling = _spelling(provider, left)
        if spelling:
            found.append((provider, spelling))
            left = _without(left, spelling)
    # a name may be a word like any other: "work" in "why does OpenAI not work"
    clear = [one for one in found if not _STATE.fullmatch(one[1])] or found
    for _, spelling in clear:
        words = _without(words, spelling)
    return [provider for provider, _ in clear[:_NAMED]], words


def _spelling(provider: ProviderFacts, words: str) -> str:
    """How *words* spell the name of the provider; empty when they do not."""
    names = (provider.name, provider.label, *_ALSO_CALLED.get(provider.name, ()))
    spellings = {re.sub(r"\W+", " ", name.lower()).strip() for name in names}
    spellings |= {spelling.replace(" ", "") for spelling in spellings}
    for spelling in sorted(filter(None, spellings), key=len, reverse=True):
        if re.search(rf"(?<!\w){re.escape(spelling)}(?!\w)", words):
            return spelling
    return ""


def _without(words: str, spelling: str) -> str:
    left = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", " ", words)
    return " ".join(left.split())


def _state(provider: ProviderFacts, facts: GatewayFacts) -> str:
    title = f"{provider.name}: "
    if provider.error is not None:
        return f"{title}broken. {provider.error}"
    if not provider.configured:
        about = f" Its site: {provider.url}" if provider.url else ""
        needs = _OFF if provider.missing is None else f"it needs {provider.missing}"
        return f"{title}not ready: {_ended(needs)}{about}"
    if not provider.models:
        why = "it is not running on this machine, or has none" if provider.local else "none yet"
        return (
            f"{title}no models of it are known: {why}. Ask it itself:\n\n"
            f"```sh\ncurl {facts.address}/api/{provider.name}/models\n```"
        )
    return (
        f"{title}ready, with {_some(provider.models)}. A test call:\n\n"
        f"```sh\ncurl {facts.address}/api/{provider.name}/chat/completions \\\n"
        "  -H 'content-type: application/json' \\\n"
        f'  -d \'{{"model": "{provider.models[0]}", '
        '"messages": [{"role": "user", "content": "Hello"}]}\'\n```'
    )


def _models(facts: GatewayFacts) -> str:
    rows = [f"- {one.name}: {_some(one.models)}" for one in facts.others if one.models]
    if not rows:
        return (
            "No provider with a language model is ready: only this assistant answers. "
            f"The three quickest ways to one:\n\n{WAYS}"
        )
    listing = f"All of them: `curl {facts.address}/v1/models`"
    return "\n".join(("These models are ready:", "", *rows, "", listing))


def _providers(facts: GatewayFacts) -> str:
    sound = [one for one in facts.providers if one.error is None]
    rows = [f"- {one.name}: {_some(one.models)}" for one in sound if one.configured and one.models]
    silent = [one.name for one in sound if one.configured and not one.models]
    lacking = [one.name for one in sound if not one.configured]
    broken = [f"- {one.name}: {one.error}" for one in facts.providers if one.error is not None]
    parts = ["\n".join(("Providers that are ready:", "", *rows)) if rows else "None is ready."]
    if broken:
        parts.append("\n".join(("Broken:", "", *broken)))
    if silent:
        parts.append(f"Nothing is known of their models; are they running? {', '.join(silent)}")
    if lacking:
        parts.append(f"Not ready: {', '.join(lacking)}. Ask “What is missing?” for the reasons.")
    return "\n\n".join(parts)


def _lacking(facts: GatewayFacts) -> str:
    rows = [
        f"- {one.name}: {one.error or _ended(one.missing or _OFF)}"
        for one in facts.providers
        if not one.configured or one.error is not None
    ]
    if not rows:
        return "Nothing: every provider this gateway knows is ready."
    return "\n".join(("These providers are not ready, and this is why:", "", *rows))


def _address(facts: GatewayFacts) -> str:
    return f"This gateway answers at {facts.address}; the base URL for OpenAI clients is {facts.address}/v1"


def _version(facts: GatewayFacts) -> str:
    return f"This is g4f_aio {facts.version}."


def _some(models: tuple[str, ...]) -> str:
    noun = "model" if len(models) == 1 else "models"
    more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    return f"{len(models)} {noun}: {', '.join(models[:_SHOWN])}{more}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
