"""Answers about this gateway: its providers and what they lack, its models, its address."""

from __future__ import annotations

import re

import attrs

from ...core.provider import Facts, ProviderFacts
from .question import Question

TOOL = "Tool: facts about this gateway, as they are now"
_SHOWN = 20

_MODELS = re.compile(
    r"(?:(?:which|what|list|show(?: me)?|welche|zeige?(?: mir)?)(?: are)?(?: all| my| the| your)*"
    r"(?: available| configured)? (?:models|modelle|model ids)|(?:my|available) models)\b"
    r"(?: (?:are|can|do|does|have|there|available|found|i|we|you|use|exist|offer|offered|got|ready|here"
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
    def of(cls, facts: Facts, own_name: str) -> GatewayFacts:
        """The facts as they are now; it may import providers, so call it in a thread."""
        return cls(facts.version, facts.address.rstrip("/"), facts.providers(), own_name)

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
    named = _named(line, facts)
    if named and _STATE.search(line):
        return "\n\n".join(_state(provider, facts) for provider in named[:3])
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


def _named(line: str, facts: GatewayFacts) -> list[ProviderFacts]:
    """The providers that the question names, in the order of the longest name first."""
    words = re.sub(r"[^\w]+", " ", line)
    found = []
    for provider in sorted(facts.providers, key=lambda one: (-len(one.name), one.name)):
        names = {provider.name, provider.label, provider.name.removesuffix("-cpp")}
        spellings = {re.sub(r"[^\w]+", " ", name.lower()).strip() for name in names}
        spellings |= {name.replace(" ", "") for name in spellings}
        for spelling in sorted(filter(None, spellings), key=len, reverse=True):
            if re.search(rf"(?<!\w){re.escape(spelling)}(?!\w)", words):
                found.append(provider)
                words = words.replace(spelling, " ")
                break
    return found


def _state(provider: ProviderFacts, facts: GatewayFacts) -> str:
    title = f"{provider.name}: "
    if provider.error is not None:
        return f"{title}broken. {provider.error}"
    if not provider.configured:
        about = f" Its site: {provider.url}" if provider.url else ""
        return f"{title}not ready. It needs {_ended(provider.missing or 'more settings')}{about}"
    if not provider.models:
        here = " and not found running on this machine" if provider.local else ""
        return (
            f"{title}no models of it are known{here}. Ask it itself:\n\n"
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
            "Ask “What is missing?” for the way to one."
        )
    listing = f"All of them: `curl {facts.address}/v1/models`"
    return "\n".join(("These models are ready:", "", *rows, "", listing))


def _providers(facts: GatewayFacts) -> str:
    ready = [one for one in facts.providers if one.configured and one.error is None]
    broken = [one for one in facts.providers if one.error is not None]
    lacking = [one.name for one in facts.providers if not one.configured and one.error is None]
    rows = [f"- {one.name}: {_short(one)}" for one in ready]
    text = "\n".join(("Providers that are ready:", "", *rows)) if rows else "No provider is ready."
    if broken:
        rows = [f"- {one.name}: {one.error}" for one in broken]
        text += "\n\n" + "\n".join(("Broken:", "", *rows))
    if lacking:
        text += f"\n\nNot ready: {', '.join(lacking)}. Ask “What is missing?” for the reasons."
    return text


def _lacking(facts: GatewayFacts) -> str:
    rows = [
        f"- {one.name}: {one.error or _ended(one.missing or 'more settings')}"
        for one in facts.providers
        if not one.configured or one.error is not None
    ]
    if not rows:
        return "Nothing: every provider this gateway knows is ready."
    return "\n".join(("What the providers lack that are not ready:", "", *rows))


def _address(facts: GatewayFacts) -> str:
    return f"This gateway answers at {facts.address}; the base URL for OpenAI clients is {facts.address}/v1"


def _version(facts: GatewayFacts) -> str:
    return f"This is g4f_aio {facts.version}."


def _short(provider: ProviderFacts) -> str:
    models = _some(provider.models) if provider.models else "no models known"
    return f"{models}{', on this machine' if provider.local else ''}"


def _some(models: tuple[str, ...]) -> str:
    noun = "model" if len(models) == 1 else "models"
    more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    return f"{len(models)} {noun}: {', '.join(models[:_SHOWN])}{more}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
