"""What the assistant says of itself, and when nothing else fits."""

from __future__ import annotations

import re

from .gateway_facts import GatewayFacts
from .question import Question
from .ways import WAYS

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
#: up to three words, none of which asks for something
_ADDRESSED = r"(?:[ ,!]+(?!(?:how|what|why|which|who|when|where|write|can|is|are|do|does|wie)\b)[\w.-]+){0,3}"
_GREETING = re.compile(
    r"(?:say |hi |oh )?(?:hi|hello|hey|hallo|hola|greetings|howdy|good (?:morning|afternoon|evening|day)"
    rf"|guten (?:tag|morgen|abend)|moin|servus|yo|welcome)\b{_ADDRESSED}"
    r"(?:[ ,.!?]+(?:how (?:are|r) (?:you|u)|how is it going|how do you do|wie geht es (?:dir|ihnen))\b.{0,40})?"
)
_THANKS = re.compile(
    r"(?:(?:great|cool|ok|okay|nice|perfect)[ ,.!]*)?(?:many )?(?:thanks?|thank you|thx|danke|vielen dank)"
    rf"\b{_ADDRESSED}!*|(?:ok|okay|bye|goodbye|good night|tschüss)"
)
_WORD = re.compile(r"\w")
_TEST = re.compile(
    r"(?:ping|test|testing|(?:say )?[\"'“]?this is (?:just )?a test[\"'”]?|are you there|does this work)"
)
_ABOUT = re.compile(
    r"(?:hi|hello|hey)?[ ,]*(?:who|what) (?:are|r) (?:you|u)"
    r"|what (?:can|do) you (?:do|know)(?: for me)?|how can you help(?: me)?|help|hilfe"
    r"|(?:what is|what's|tell me about) (?:this|g4f_aio|g4f-aio|the offline ?assistant)"
    r"|(?:are|r) you (?:an? |the )?(?:real |large |good )*(?:ai|llm|language model|bot|robot|human"
    r"|person|gpt|gpt-\w+|chat ?gpt|claude|model)"
    r"|(?:which|what) (?:ai |language )?model (?:are you|is this|do you use)"
    r"|wer bist du|was bist du|was kannst du|how are you(?: doing)?|how do you work"
)


def small_talk(question: Question) -> str | None:
    """A short answer to greetings, thanks and questions about the assistant itself."""
    line = question.line
    if _ABOUT.fullmatch(line) or not _WORD.search(question.text):
        return _SKILLS if question.first else f"{INTRODUCTION}\n\n{_SKILLS}"
    if _TEST.fullmatch(line):
        return "This is a test answer: the gateway works, and it came through it to you."
    if _GREETING.fullmatch(line):
        return f"Hello. {_SKILLS}"
    if _THANKS.fullmatch(line):
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
