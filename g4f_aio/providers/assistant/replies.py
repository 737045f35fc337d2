"""What the assistant says of itself, and when nothing else fits."""

from __future__ import annotations

import re

from .gateway_facts import GatewayFacts
from .question import Question

INTRODUCTION = (
    "I am the offline assistant of g4f_aio, not a language model: I answer from documentation, "
    "facts about this gateway and exact tools."
)
NO_FACTS = (
    "I was told nothing about this gateway here. Ask it itself: `GET /v1/models` lists the models, "
    "`GET /v1/providers` the providers and what each lacks."
)
_SKILLS = """\
Ask me for example:

- How do I add a provider?
- Which models do I have? What is missing for OpenAI? Is Ollama running?
- 12*(3+4), 17% of 340, 5 km in miles, days between 2026-01-01 and 2026-12-24
- sha256 of hello, base64 encode hello, count words in: some text, or paste JSON to check it"""
_GREETING = re.compile(
    r"(?:say |hi |oh )?(?:hi|hello|hey|hallo|hola|greetings|howdy|good (?:morning|afternoon|evening|day)"
    r"|guten (?:tag|morgen|abend)|moin|servus|yo|welcome)\b(?:[ ,]+[\w.-]+){0,3}"
)
_NO_GREETING = re.compile(r"\b(?:how|what|why|which|who|when|where|write|can|is|are|do|does|wie)\b")
_THANKS = re.compile(
    r"(?:many )?(?:thanks?|thank you|thx|danke|vielen dank|great|cool|ok|okay|nice|bye|goodbye|tschüss)"
    r"\b(?:[ ,!]+[\w!]+){0,3}"
)
_TEST = re.compile(
    r"(?:ping|test|testing|(?:say )?[\"'“]?this is (?:just )?a test[\"'”]?|are you there|does this work)"
)
_ABOUT = re.compile(
    r"(?:hi|hello|hey)?[ ,]*(?:who|what) (?:are|r) (?:you|u)"
    r"|what (?:can|do) you (?:do|know)(?: for me)?|how can you help(?: me)?|help|hilfe|\?"
    r"|(?:what is|what's|tell me about) (?:this|g4f_aio|g4f-aio|the offline ?assistant)"
    r"|(?:are|r) you (?:an? |the )?(?:real |large |good )*(?:ai|llm|language model|bot|robot|human"
    r"|person|gpt|gpt-\w+|chat ?gpt|claude|model)"
    r"|(?:which|what) (?:ai |language )?model (?:are you|is this|do you use)"
    r"|wer bist du|was bist du|was kannst du|how are you(?: doing)?|how do you work"
)


def small_talk(question: Question) -> str | None:
    """A short answer to greetings, thanks and questions about the assistant itself."""
    line = question.line
    if _ABOUT.fullmatch(line) or not question.text.strip():
        return _SKILLS if question.first else f"{INTRODUCTION}\n\n{_SKILLS}"
    if _TEST.fullmatch(line):
        return "This is a test answer: the gateway works, and it came through it to you."
    if _GREETING.fullmatch(line) and not _NO_GREETING.search(line):
        return f"Hello. {_SKILLS}"
    if _THANKS.fullmatch(line) and not _NO_GREETING.search(line):
        return "You are welcome."
    return None


def cannot(facts: GatewayFacts | None) -> str:
    """The honest last word, with the quickest ways to a model that can."""
    if facts is not None and facts.models:
        named = ", ".join(f"`{name}`" for name in facts.models[:5])
        return (
            "I cannot answer that: neither the documentation nor my tools cover it. This gateway has "
            f"models that may: send the same request with `model` set to one of {named}."
        )
    return f"""\
I cannot answer that: neither the documentation nor my tools cover it. The three quickest ways to \
get a model that can:

{WAYS}"""


WAYS = """\
1. Ollama, on this machine, free of charge: install it from https://ollama.com, then

   ```sh
   ollama pull llama3.2
   ```

   The gateway finds it by itself.
2. An API key in the environment of the gateway, for example of OpenAI (others: `OPENROUTER_API_KEY`, \
`GROQ_API_KEY`, `MISTRAL_API_KEY` …):

   ```sh
   export OPENAI_API_KEY=sk-...
   python -m g4f_aio
   ```
3. Any server with an OpenAI-compatible API, as a table in `gateway.toml`:

   ```toml
   [providers.work]
   type = "openai-compatible"
   base_url = "http://127.0.0.1:8000/v1"
   ```"""
