"""The rows of the matrix: what is asked, and what the upstream of each provider then says."""

from __future__ import annotations

import attrs

from .answer import Answer, Ask, Choice, Refused, Tokens, Unsaid, call

#: the providers: one that speaks each dialect of upstreams, and one of text and nothing else
OPENAI, ANTHROPIC, GEMINI, TEXT = PROVIDERS = ("work", "Anthropic", "Gemini", "plain")
CLAUDE = "claude-sonnet-4-5-20250929"
#: it keeps its thoughts to itself
FLASH = "gemini-2.0-flash"
PAGES = "pages-160-65536"
PIXEL = "iVBORw0KGgo="


@attrs.frozen
class Row:
    """What one provider's upstream says, as the *model*'s name tells it to; *emulated* is supplied here."""

    model: str
    said: Answer | Refused
    emulated: str = ""


@attrs.frozen
class Scenario:
    """A row of the matrix: by provider, but for the dialects in *only*."""

    name: str
    ask: Ask
    by: dict[str, Row | Unsaid]
    only: dict[str, Unsaid] = attrs.field(factory=dict)


def answer(
    usage: Tokens | None,
    text: str = "Hello big world",
    *,
    reasoning: str = "",
    refusal: str = "",
    calls: tuple[tuple[str, str], ...] = (),
    logprobs: tuple[tuple[str, float], ...] = (),
    finish: str = "",
    times: int = 1,
) -> Answer:
    """An answer with one choice, or with several that say the same."""
    ending = finish or ("tool_calls" if calls else "stop")
    return Answer((Choice(text, reasoning, refusal, calls, logprobs, ending),) * times, usage)


def claude(output: int, reasoning: int = 0) -> Tokens:
    """The usage of the fake of Anthropic's API: what it is asked is ten tokens."""
    return Tokens(10, output, 0, reasoning)


def gemini(output: int, reasoning: int = 0) -> Tokens:
    """The usage of the fake of Gemini: the same, and four of them were cached."""
    return Tokens(10, output + reasoning, 4, reasoning)


WEATHER = call("get_weather", {"city": "Köln", "days": 2})
TIME = call("get_time", {})
HERE = tuple(call(name, {"city": "Köln"}) for name in ("get_weather", "get_time"))
#: what makes a model of text call
WRITTEN = (
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Köln"}}\n</tool_call>',
    '<tool_call>\n{"name": "get_time", "arguments": {"city": "Köln"}}\n</tool_call>',
)
JSON = '{"said": "Hello"}'
NO_WORD = Unsaid("the client's dialect has no word for it")
ALWAYS = Unsaid("the client's dialect always tells of it")
COUNTS = Unsaid("the upstream's dialect always tells of it")

SCENARIOS = (
    Scenario(
        "text",
        Ask(),
        {
            OPENAI: Row("echo", answer(Tokens(3, 3))),
            ANTHROPIC: Row(CLAUDE, answer(claude(1))),
            GEMINI: Row(FLASH, answer(gemini(3))),
            TEXT: Row("echo", answer(Tokens(3, 3))),
        },
    ),
    Scenario(
        "refusal",
        Ask(),
        {
            OPENAI: Row("refusal", answer(Tokens(3, 0), "", refusal="I cannot.")),
            ANTHROPIC: Row(
                f"{CLAUDE}@refusal",
                answer(claude(1), refusal="It could do harm.", finish="content_filter"),
            ),
            GEMINI: Row(f"{FLASH}@blocked", answer(Tokens(10, 0, 4), "", finish="content_filter")),
            TEXT: Unsaid("a refusal is a text like any other"),
        },
    ),
    Scenario(
        "length",
        Ask(max_tokens=2),
        {
            OPENAI: Row("echo@finish-length", answer(Tokens(3, 3), finish="length")),
            ANTHROPIC: Row(CLAUDE, answer(claude(1), "Hello big ", finish="length")),
            GEMINI: Row(FLASH, answer(gemini(2), "Hello big ", finish="length")),
            TEXT: Row("echo@finish-length", answer(Tokens(3, 3), finish="length")),
        },
    ),
    Scenario(
        "content filter",
        Ask(),
        {
            OPENAI: Row(
                "echo@finish-content_filter", answer(Tokens(3, 3), finish="content_filter")
            ),
            ANTHROPIC: Row(f"{CLAUDE}@filtered", answer(claude(1), finish="content_filter")),
            GEMINI: Row(f"{FLASH}@finish-SAFETY", answer(gemini(3), finish="content_filter")),
            TEXT: Row("echo@finish-content_filter", answer(Tokens(3, 3), finish="content_filter")),
        },
    ),
    Scenario(
        "one tool",
        Ask(WRITTEN[0], tools=("get_weather",)),
        {
            OPENAI: Row("tools@one", answer(Tokens(None, 0), "", calls=(WEATHER,))),
            ANTHROPIC: Row(CLAUDE, answer(claude(2), "I call.", calls=HERE[:1])),
            GEMINI: Row(FLASH, answer(gemini(1), "", calls=HERE[:1])),
            TEXT: Row("echo", answer(Tokens(None, 7), "", calls=HERE[:1]), "tools"),
        },
    ),
    Scenario(
        "parallel tools",
        Ask("\n".join(WRITTEN), tools=("get_weather", "get_time")),
        {
            OPENAI: Row("tools", answer(Tokens(None, 0), "", calls=(WEATHER, TIME))),
            ANTHROPIC: Row(CLAUDE, answer(claude(3), "I call.", calls=HERE)),
            GEMINI: Row(FLASH, answer(gemini(2), "", calls=HERE)),
            TEXT: Row("echo", answer(Tokens(None, 14), "", calls=HERE), "tools"),
        },
    ),
    Scenario(
        "text and tools",
        Ask("I call.\n" + "\n".join(WRITTEN), tools=("get_weather", "get_time")),
        {
            OPENAI: Row(
                "words-3@calls-late",
                answer(Tokens(None, 3), "w0 w1 w2", calls=(WEATHER, TIME)),
            ),
            ANTHROPIC: Row(CLAUDE, answer(claude(3), "I call.", calls=HERE)),
            GEMINI: Row(f"{FLASH}@text", answer(gemini(3), "I call.", calls=HERE)),
            TEXT: Row("echo", answer(Tokens(None, 16), "I call.", calls=HERE), "tools"),
        },
    ),
    Scenario(
        "reasoning",
        Ask(thinking=True),
        {
            OPENAI: Row("reasoning", answer(Tokens(3, 3), reasoning="Let me think.")),
            ANTHROPIC: Row(
                CLAUDE,
                answer(claude(6, reasoning=5), reasoning="Let me think."),
            ),
            GEMINI: Row("gemini-2.5-flash", answer(gemini(3, 2), reasoning="**Looking** at it.")),
            TEXT: Row("echo@thinks", answer(Tokens(3, 3), reasoning="Let me think.")),
        },
    ),
    Scenario(
        "JSON schema",
        Ask(JSON, schema=True),
        {
            OPENAI: Row("echo", answer(Tokens(2, 2), JSON)),
            ANTHROPIC: Row(CLAUDE, answer(claude(1), JSON)),
            GEMINI: Row(FLASH, answer(gemini(2), '{"said": "{\\"said\\": \\"Hello\\"}"}')),
            TEXT: Row("echo", answer(Tokens(None, 2), JSON), "json_schema"),
        },
    ),
    Scenario(
        "image in",
        Ask("Look:", image=True),
        {
            OPENAI: Row(
                "echo@sees",
                answer(Tokens(None, 3), f"Look: [image data:image/png;base64,{PIXEL}]"),
            ),
            ANTHROPIC: Row(CLAUDE, answer(claude(1), "Look: [image image/png 12]")),
            GEMINI: Row(f"{FLASH}@sees", answer(gemini(4), "Look: [image image/png 12]")),
            TEXT: Row("echo", Refused(400, "unsupported_parameter", "vision")),
        },
    ),
    Scenario(
        "two choices",
        Ask(n=2),
        {
            OPENAI: Row("echo", answer(Tokens(3, 3), times=2)),
            ANTHROPIC: Row(CLAUDE, answer(Tokens(20, 2), times=2), "n"),
            GEMINI: Row(FLASH, answer(gemini(3), times=2)),
            TEXT: Row("echo", answer(Tokens(6, 6), times=2), "n"),
        },
        {"responses": NO_WORD, "messages": NO_WORD},
    ),
    Scenario(
        "log probabilities",
        Ask(logprobs=True),
        {
            OPENAI: Row(
                "echo",
                answer(Tokens(3, 3), logprobs=(("Hello ", 0.0), ("big ", 0.0), ("world", 0.0))),
            ),
            ANTHROPIC: Row(CLAUDE, Refused(400, "unsupported_parameter", "logprobs")),
            GEMINI: Row(
                FLASH,
                answer(gemini(3), logprobs=(("Hello ", -0.25), ("big ", -0.25), ("world", -0.25))),
            ),
            TEXT: Row("echo", Refused(400, "unsupported_parameter", "logprobs")),
        },
        {"messages": NO_WORD},
    ),
    Scenario(
        "usage wanted",
        Ask(usage=True),
        {
            OPENAI: Row("echo", answer(Tokens(3, 3))),
            ANTHROPIC: Row(CLAUDE, answer(claude(1))),
            GEMINI: Row(FLASH, answer(gemini(3))),
            TEXT: Row("echo", answer(Tokens(3, 3))),
        },
        {"responses": ALWAYS, "messages": ALWAYS},
    ),
    Scenario(
        "usage unwanted",
        Ask(usage=False),
        {
            OPENAI: Row("echo", answer(Tokens(3, 3))),
            ANTHROPIC: Row(CLAUDE, answer(claude(1))),
            GEMINI: Row(FLASH, answer(gemini(3))),
            TEXT: Row("echo", answer(Tokens(3, 3))),
        },
        {"responses": ALWAYS, "messages": ALWAYS},
    ),
    Scenario(
        "usage untold",
        Ask(),
        {
            OPENAI: Row("no-usage", answer(Tokens(None, None, estimated=True), "One two three")),
            ANTHROPIC: COUNTS,
            GEMINI: COUNTS,
            TEXT: Row("no-usage", answer(Tokens(None, None, estimated=True), "One two three")),
        },
    ),
    Scenario(
        "emoji cut between packets",
        Ask("héllo 👋🏽 日本語"),
        {
            OPENAI: Row("emoji-cut", answer(Tokens(3, 3), "héllo 👋🏽 日本語")),
            ANTHROPIC: Row(f"{CLAUDE}@bytes", answer(claude(1), "héllo 👋🏽 日本語")),
            GEMINI: Row(f"{FLASH}@bytes", answer(gemini(3), "héllo 👋🏽 日本語")),
            TEXT: Row("emoji-cut", answer(Tokens(3, 3), "héllo 👋🏽 日本語")),
        },
    ),
)
#: apart from the others: it takes memory
TEN_MEGABYTES = Scenario(
    "10 MB",
    Ask(),
    {
        OPENAI: Row(PAGES, answer(Tokens(3, 160), "x" * 160 * 65536)),
        ANTHROPIC: Row(f"{CLAUDE}@{PAGES}", answer(claude(1), ("x" * 65535 + " ") * 160)),
        GEMINI: Row(f"{FLASH}@{PAGES}", answer(gemini(160), "x" * 160 * 65536)),
        TEXT: Row(PAGES, answer(Tokens(3, 160), "x" * 160 * 65536)),
    },
)
