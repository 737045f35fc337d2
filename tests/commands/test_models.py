"""``g4f-aio models``."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

from tests.conftest import Upstream

Run = Callable[..., CompletedProcess[str]]
SETTINGS = """
[providers.work]
type = "scripted"
[providers.more]
type = "scripted"
models = ["scripted", "large"]
[models."gpt-4.1"]
providers = [{ provider = "work", model = "scripted" }, { provider = "more" }]
"""


def rows(done: CompletedProcess[str]) -> list[list[str]]:
    """The lines of the table by words, without its head."""
    head, *lines = [line.split() for line in done.stdout.splitlines()]
    assert head == ["MODEL", "PROVIDERS"]
    return lines


def test_models_are_listed_once_with_all_their_providers(run: Run) -> None:
    done = run("models", settings=SETTINGS)
    assert done.returncode == 0
    listed = {words[0]: words[1:] for words in rows(done)}
    assert listed["gpt-4.1"] == ["work,", "more"]
    assert listed["scripted"] == ["work,", "more"]
    assert listed["large"] == ["more"]
    assert listed["offline-assistant"] == ["OfflineAssistant"]


def test_the_models_of_one_provider_can_be_asked_for(run: Run) -> None:
    done = run("models", "--provider", "more", settings=SETTINGS)
    assert rows(done) == [["scripted", "more"], ["large", "more"]]


def test_an_unknown_provider_gets_the_closest_name(run: Run) -> None:
    done = run("models", "--provider", "wrk", settings=SETTINGS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean work?" in done.stderr


def test_a_provider_that_lists_nothing_says_why(run: Run) -> None:
    text = '[providers.gone]\ntype = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\n'
    done = run("models", "--provider", "gone", settings=text)
    assert rows(done) == []
    assert "gone" in done.stderr


# who would answer

CHAIN = """
[providers.work]
type = "scripted"
[providers.more]
type = "scripted"
models = ["scripted", "large"]
[models.best]
providers = [
  { provider = "work", model = "scripted", when = "error_rate < 20%" },
  { provider = "OpenAI", model = "gpt-4o" },
  { provider = "more", model = "large" },
]
"""


NEEDS = "an API key: set OPENAI_API_KEY, or api_key in [providers.OpenAI]"


def table(done: CompletedProcess[str]) -> tuple[str, list[list[str]]]:
    """The rule, and the cells of the table without its head and what is supplied."""
    rule, cells = full_table(done)
    return rule, [[*line[:3], line[4]] for line in cells]


def full_table(done: CompletedProcess[str]) -> tuple[str, list[list[str]]]:
    """The rule, and all cells of the table without its head."""
    rule, head, *lines = done.stdout.splitlines()
    assert head.split() == ["ASKED", "PROVIDER", "MODEL", "SUPPLIED", "WHY"]
    at = [head.index(name) for name in head.split()]
    ends = [*at[1:], None]
    return rule, [[line[a:b].strip() for a, b in zip(at, ends, strict=True)] for line in lines]


def test_who_would_answer_is_told_in_order_and_why(run: Run) -> None:
    done = run("models", "--explain", "best", settings=CHAIN)
    assert done.returncode == 0
    assert table(done) == (
        "the chain of best in the settings",
        [
            ["first", "work", "scripted", "when error_rate < 20% (error_rate is not known)"],
            ["then", "more", "large", ""],
            [
                "left out",
                "OpenAI",
                "gpt-4o",
                f"Provider OpenAI is not configured; it needs {NEEDS}",
            ],
        ],
    )


def test_without_a_name_it_is_the_default(run: Run) -> None:
    for words in (("--explain",), ("--explain", "auto"), ("--explain=",)):
        rule, lines = table(run("models", *words, settings=CHAIN))
        assert rule == "automatic choice"
        assert lines == [
            ["first", "work", "scripted", ""],
            ["then", "more", "scripted", ""],
        ]


def test_what_the_gateway_supplies_is_told(run: Run) -> None:
    text = """
[providers.claude]
type = "Anthropic"
api_key = "k"
models = ["opus"]
"""
    done = run("models", "--explain", "opus", settings=text)
    assert full_table(done)[1] == [["first", "claude", "opus", "json_object, n", ""]]


def test_a_provider_may_be_named(run: Run) -> None:
    done = run("models", "--explain", "large", "--provider", "more", settings=CHAIN)
    assert table(done) == (
        "the request names the provider",
        [["first", "more", "large", ""]],
    )


def test_where_nobody_would_answer_the_status_is_1(run: Run) -> None:
    done = run("models", "--explain", "lrge", settings=CHAIN)
    assert (done.returncode, done.stdout) == (1, "the providers that list the model\n")
    assert "Model 'lrge' not found. Did you mean large?" in done.stderr
    text = CHAIN.replace("error_rate < 20%", "calls > 100").replace('"more", model', '"x", model')
    done = run("models", "--explain", "best", settings=text)
    assert done.returncode == 1
    why = "work is asked only when calls > 100 (calls is 0)"
    assert table(done)[1][0] == ["left out", "work", "scripted", why]
    assert f"No provider can be asked now: {why}" in done.stderr


def test_a_request_names_one_provider(run: Run) -> None:
    words = ("--provider", "work", "--provider", "more")
    done = run("models", "--explain", "large", *words, settings=CHAIN)
    assert (done.returncode, done.stdout) == (1, "")
    assert "names one provider at most" in done.stderr


def test_a_mistake_in_a_condition_is_one_of_the_settings(run: Run) -> None:
    text = CHAIN.replace("error_rate", "eror_rate")
    done = run("models", "--explain", "best", settings=text)
    assert done.returncode == 78
    assert (
        "models.best.providers[0].when: "
        "no name 'eror_rate' at character 1; did you mean error_rate?"
    ) in done.stderr


def test_configured_providers_are_asked_for_their_models_first(
    run: Run, upstream: Upstream
) -> None:
    table_of = '[providers.{}]\ntype = "openai-compatible"\nbase_url = "{}"\n'
    text = table_of.format("one", upstream.base_url) + table_of.format("two", upstream.base_url)
    done = run("models", "--explain", "words-3", settings=text)
    assert table(done) == (
        "the providers that list the model",
        [["first", "one", "words-3", ""], ["then", "two", "words-3", ""]],
    )
