"""What a key may use: names of models, tokens that are estimated, and meters that are exact."""

from __future__ import annotations

import re
import time
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.events import Usage
from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    TextPart,
)
from g4f_aio.core.operations import CompletionRequest, ModerationRequest
from g4f_aio.core.record import Attempt, Outcome, RequestRecord
from g4f_aio.core.request_tokens import estimate_request
from g4f_aio.core.requests import ChatRequest, Routing, Sampling, Tool
from g4f_aio.core.stores import Allowance, Balance, Quota, Shortage
from g4f_aio.gateway.limits import (
    ANSWER,
    Limits,
    MemoryQuotas,
    ModelNames,
    answer_tokens,
    asked_model,
    bounds_answer,
    prompt_tokens,
    used_tokens,
)
from g4f_aio.settings import KeySettings, ModelTarget, RoutingSettings, Settings

SECOND = 10**9
MINUTE = 60 * SECOND


def said(*parts: Any, **fields: Any) -> ChatRequest:
    """A request with one message."""
    return ChatRequest("m", (Message("user", parts),), **fields)


# names


@pytest.mark.parametrize(
    ("listed", "asked", "allowed"),
    [
        (["gpt-4o"], "gpt-4o", True),
        (["gpt-4o"], "gpt-4o-mini", False),
        (["gpt-4o"], "GPT-4o", False),
        (["gpt-4o"], "work:gpt-4o", False),
        (["a", "b"], "b", True),
        (["gpt-*"], "gpt-", True),
        (["gpt-*"], "gpt", False),
        (["*-mini"], "gpt-4o-mini", True),
        (["*:free"], "vendor/model:free", True),
        (["*:free"], "vendor/model:free\n", False),
        (["work:*"], "work:a/b:c", True),
        (["work:*"], "work", False),
        (["a*b*c"], "abc", True),
        (["a*b*c"], "ab", False),
        (["a*a"], "a", False),
        (["a*aba*a"], "aabaa", True),
        (["a*aba*a"], "ababa", False),
        (["*"], "", True),
        (["*"], "line\nbreak", True),
        (["a.c"], "abc", False),
        (["[ab]"], "a", False),
        (["a?"], "ab", False),
    ],
)
def test_a_model_is_allowed_by_its_name_or_a_pattern(
    listed: list[str],
    asked: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    assert (asked in ModelNames(listed)) is allowed


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_star_stands_for_any_text(pattern: str, name: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None
    assert (name in ModelNames([pattern])) is expected


def test_a_pattern_with_many_stars_takes_no_time() -> None:
    """The names come from clients."""
    began = time.thread_time()
    assert "a" * 1_000_000 not in ModelNames(["*a" * 20 + "*b"])
    assert time.thread_time() - began < 1


def test_a_key_has_limits_where_the_settings_give_it_some() -> None:
    assert Limits.of(KeySettings(key=None)) is None
    by_model = Limits.of(KeySettings(models=("a",)))
    assert by_model is not None
    assert by_model.quota is None
    assert by_model.models is not None
    assert "a" in by_model.models
    assert Limits.of(KeySettings(requests_per_minute=3)) == Limits(Quota(3))
    assert Limits.of(KeySettings(tokens_per_minute=5)) == Limits(Quota(None, 5))


def test_an_admin_may_have_limits_as_well() -> None:
    assert Limits.of(KeySettings(admin=True, requests_per_minute=3)) == Limits(Quota(3))


ALIASES: dict[str, tuple[ModelTarget, ...]] = {
    "best": (ModelTarget("work"),),
    "auto": (ModelTarget("work"),),
}


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("gpt-4o", None, "gpt-4o"),
        ("best", None, "best"),
        ("work:gpt-4o", None, "work:gpt-4o"),
        ("gpt-4o", "work", "work:gpt-4o"),
        ("gpt-4o", "WORK", "work:gpt-4o"),
        ("best", "work", "work:best"),
        ("", "Work", "work"),
        ("auto", "work", "work"),
        ("gpt-4o", "nobody", "nobody:gpt-4o"),
    ],
)
def test_what_is_asked_for_has_one_name(model: str, provider: str | None, name: str) -> None:
    chat = ChatRequest(model, (), routing=Routing(provider=provider))
    resolve = {"work": "work"}.get
    assert asked_model(chat, Settings(models=ALIASES), lambda one: resolve(one.lower())) == name


@pytest.mark.parametrize(
    ("routing", "name"),
    [
        (RoutingSettings(), "auto"),
        (RoutingSettings(provider="work"), "work"),
        (RoutingSettings(model="gpt-4o"), "gpt-4o"),
        (RoutingSettings(model="gpt-4o", provider="work"), "gpt-4o"),
        (RoutingSettings(model="auto", provider="work"), "work"),
    ],
)
@pytest.mark.parametrize("model", ["", "auto", "Default"])
def test_where_no_model_is_named_it_is_the_default_of_the_settings(
    routing: RoutingSettings, name: str, model: str
) -> None:
    chat = ChatRequest(model, ())
    assert asked_model(chat, Settings(routing=routing), lambda _: None) == name


def test_an_alias_may_be_called_auto() -> None:
    settings = Settings(routing=RoutingSettings(model="gpt-4o"), models=ALIASES)
    assert asked_model(ChatRequest("auto", ()), settings, lambda _: None) == "auto"


# tokens


def test_the_prompt_of_a_chat_is_estimated_as_everywhere() -> None:
    tool = Tool("x" * 4, "x" * 396, {"type": ["x" * 400, 1, None]})
    chat = said(TextPart("x" * 400), ImagePart("https://a"), tools=(tool,))
    assert prompt_tokens(chat) == estimate_request(chat)


@pytest.mark.parametrize(
    "part",
    [
        ImagePart("data:image/png;base64," + "A" * 100_000),
        AudioPart("A" * 100_000, "wav"),
        FilePart("data:application/pdf;base64," + "A" * 100_000),
        OtherPart("video", {"type": "video", "data": "A" * 100_000}),
    ],
)
def test_the_size_of_a_file_is_not_the_number_of_its_tokens(part: Any) -> None:
    assert 100 < prompt_tokens(said(part)) - prompt_tokens(said()) <= 2_500


def test_a_deep_tool_is_counted_to_its_ground() -> None:
    deep: Any = "x" * 40
    for _ in range(5000):
        deep = {"a": deep}
    assert prompt_tokens(said(tools=(Tool("f", None, deep),))) > 1000


@pytest.mark.parametrize(
    ("most", "n", "tokens"),
    [(None, 1, ANSWER), (None, 3, 3 * ANSWER), (7, 1, 7), (7, 3, 21), (-7, 1, 0), (7, 0, 7)],
)
def test_an_answer_is_as_long_as_the_request_lets_it_be(
    most: int | None, n: int, tokens: int
) -> None:
    assert answer_tokens(said(sampling=Sampling(max_tokens=most), n=n)) == tokens


def ended(outcome: Outcome, *attempts: Attempt, **fields: Any) -> RequestRecord:
    """A request that has ended."""
    made = RequestRecord("id", "alice", "openai-chat", "m", attempts=list(attempts), **fields)
    made.outcome = outcome
    return made


def attempt(outcome: Outcome, *, begun: bool = True, called: bool = True) -> Attempt:
    """A call of a provider, which has begun its answer or not."""
    ttft = 0.1 if begun else None
    return Attempt("work", "m", 0.0, called=called, outcome=outcome, ttft=ttft)


GOOD, CUT, LEFT = attempt("ok"), attempt("failed"), attempt("cancelled")
REFUSED, LEFT_EARLY = attempt("failed", begun=False), attempt("cancelled", begun=False)
IN_LINE = attempt("cancelled", begun=False, called=False)
PROMPT = 50


@pytest.mark.parametrize(
    ("record", "tokens"),
    [
        (ended("ok", GOOD, usage=Usage(30, 12), pieces=5), 42),
        (ended("ok", REFUSED, GOOD, usage=Usage(30, 12), pieces=13), 42),
        (ended("ok", GOOD, pieces=5), PROMPT + 5),
        (ended("ok", GOOD, usage=Usage(-30, -12)), 0),
        # cut
        (ended("cancelled", LEFT, pieces=5), PROMPT + 5),
        (ended("cancelled", LEFT_EARLY), PROMPT),
        (ended("failed", CUT, pieces=5), PROMPT + 5),
        (ended("cancelled", LEFT, usage=Usage(30, 1), pieces=5), 35),
        (ended("failed", CUT, usage=Usage(30, 12), pieces=5), 42),
        # nobody has read the prompt
        (ended("failed"), 0),
        (ended("cancelled"), 0),
        (ended("cancelled", IN_LINE), 0),
        (ended("failed", REFUSED, REFUSED), 0),
        (ended("ok", usage=Usage(30, 12), cache="hit"), 0),
    ],
)
def test_what_was_used_is_what_an_upstream_worked_on(record: RequestRecord, tokens: int) -> None:
    assert used_tokens(record, PROMPT) == tokens


# meters


@attrs.define
class Clock:
    """A monotonic clock in nanoseconds that goes on when a test says so."""

    now: int = 123_456_789

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """That of the quotas."""
    return Clock()


@pytest.fixture
def quotas(clock: Clock) -> MemoryQuotas:
    """Quotas of which nothing is used."""
    return MemoryQuotas(clock)


async def test_so_many_requests_at_once_and_then_evenly(clock: Clock, quotas: MemoryQuotas) -> None:
    quota = Quota(requests=4)
    for _ in range(4):
        assert await quotas.reserve("a", quota, 0) is None
    assert await quotas.reserve("a", quota, 0) == Shortage("requests", 15.0)
    clock.now += 15 * SECOND - 1
    assert await quotas.reserve("a", quota, 0) == Shortage("requests", 1e-9)
    clock.now += 1
    assert await quotas.reserve("a", quota, 0) is None
    assert await quotas.reserve("a", quota, 0) == Shortage("requests", 15.0)


async def test_a_limit_that_does_not_divide_a_minute_loses_nothing(
    clock: Clock, quotas: MemoryQuotas
) -> None:
    quota = Quota(requests=7)
    began, taken = clock.now, 0
    while taken < 107:
        short = await quotas.reserve("a", quota, 0)
        if short is None:
            taken += 1
        else:
            clock.now += round(short.wait * SECOND)
    assert clock.now - began == -(-100 * MINUTE // 7)


async def test_tokens_are_taken_together_with_the_request_or_neither_is(
    quotas: MemoryQuotas,
) -> None:
    quota = Quota(requests=2, tokens=100)
    assert await quotas.reserve("a", quota, 70) is None
    assert await quotas.reserve("a", quota, 60) == Shortage("tokens", 18.0)
    assert await quotas.balance("a", quota) == Balance(
        Allowance(2, 1, 30.0), Allowance(100, 30, 42.0)
    )
    assert await quotas.reserve("a", quota, 30) is None
    assert await quotas.reserve("a", quota, 0) == Shortage("requests", 30.0)


async def test_of_two_shortages_the_longer_one_is_told(quotas: MemoryQuotas) -> None:
    quota = Quota(requests=1, tokens=60)
    assert await quotas.reserve("a", quota, 60) is None
    assert await quotas.reserve("a", quota, 6) == Shortage("requests", 60.0)
    assert await quotas.reserve("a", quota, 60) == Shortage("requests", 60.0)
    quotas.settle("a", 60, 120)
    assert await quotas.reserve("a", quota, 6) == Shortage("tokens", 66.0)


async def test_what_is_not_used_is_given_back(quotas: MemoryQuotas) -> None:
    quota = Quota(tokens=100)
    assert await quotas.reserve("a", quota, 100) is None
    quotas.settle("a", 100, 40)
    assert await quotas.balance("a", quota) == Balance(None, Allowance(100, 60, 24.0))


async def test_what_was_refilled_meanwhile_is_not_given_back_on_top(
    clock: Clock, quotas: MemoryQuotas
) -> None:
    quota = Quota(tokens=100)
    await quotas.reserve("a", quota, 100)
    clock.now += 30 * SECOND
    quotas.settle("a", 100, 0)
    assert await quotas.balance("a", quota) == Balance(None, Allowance(100, 100, 0.0))


async def test_what_is_used_beyond_is_owed(clock: Clock, quotas: MemoryQuotas) -> None:
    quota = Quota(tokens=60)
    await quotas.reserve("a", quota, 10)
    clock.now += 10 * SECOND
    quotas.settle("a", 10, 610)
    assert await quotas.balance("a", quota) == Balance(None, Allowance(60, 0, 600.0))
    assert await quotas.reserve("a", quota, 1) == Shortage("tokens", 541.0)
    clock.now += 541 * SECOND
    assert await quotas.reserve("a", quota, 1) is None


async def test_each_key_has_its_own(quotas: MemoryQuotas) -> None:
    quota = Quota(requests=1)
    assert await quotas.reserve("a", quota, 0) is None
    assert await quotas.reserve("b", quota, 0) is None
    assert await quotas.reserve("a", quota, 0) is not None


async def test_another_limit_changes_nothing_about_what_was_used(
    clock: Clock, quotas: MemoryQuotas
) -> None:
    for _ in range(6):
        await quotas.reserve("a", Quota(requests=10), 0)
    assert await quotas.balance("a", Quota(requests=20)) == Balance(Allowance(20, 14, 18.0))
    assert await quotas.balance("a", Quota(requests=6)) == Balance(Allowance(6, 0, 60.0))
    clock.now += 10 * SECOND
    assert await quotas.balance("a", Quota(requests=6)) == Balance(Allowance(6, 1, 50.0))
    assert await quotas.balance("a", Quota(tokens=5)) == Balance(None, Allowance(5, 5, 0.0))
    assert await quotas.balance("a", Quota()) == Balance()


async def test_a_part_of_a_token_is_none(clock: Clock, quotas: MemoryQuotas) -> None:
    quota = Quota(tokens=60)
    await quotas.reserve("a", quota, 2)
    clock.now += SECOND // 2
    assert await quotas.balance("a", quota) == Balance(None, Allowance(60, 58, 1.5))


@given(
    limit=st.integers(1, 500),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("reserve"), st.integers(0, 500)),
            st.tuples(st.just("settle"), st.integers(0, 800)),
            st.tuples(st.just("cancel"), st.just(0)),
            st.tuples(st.just("pass"), st.integers(0, 2 * MINUTE)),
            st.tuples(st.just("wait"), st.just(0)),
        ),
        max_size=60,
    ),
    which=st.randoms(use_true_random=False),
)
async def test_however_requests_come_and_end_no_more_is_admitted_than_the_limit(
    limit: int, steps: list[tuple[str, int]], which: Any
) -> None:
    """Over any time up to an admission, what came and was not given back fits the limit."""
    clock = Clock()
    quotas, quota = MemoryQuotas(clock), Quota(tokens=limit)
    open_: list[int] = []
    changes: list[tuple[int, int]] = []
    short: Shortage | None = None
    wanted = 0
    for kind, number in steps:
        match kind:
            case "reserve":
                wanted = min(number, limit)
                short = await quotas.reserve("a", quota, wanted)
                if short is None:
                    open_.append(wanted)
                    changes.append((clock.now, wanted))
                    fits(changes, clock.now, limit)
            case "settle" | "cancel" if open_:
                reserved = open_.pop(which.randrange(len(open_)))
                quotas.settle("a", reserved, number)
                changes.append((clock.now, number - reserved))
                short = None
            case "pass":
                clock.now += number
                short = None
            case "wait" if short is not None:
                # to the nanosecond
                wait = round(short.wait * SECOND)
                clock.now += wait - 1
                assert await quotas.reserve("a", quota, wanted) is not None
                clock.now += 1
                assert await quotas.reserve("a", quota, wanted) is None
                open_.append(wanted)
                changes.append((clock.now, wanted))
                fits(changes, clock.now, limit)
                short = None
            case _:
                pass
    for reserved in open_:
        quotas.settle("a", reserved, 0)
    clock.now += MINUTE * (1 + sum(max(0, change) for _, change in changes) // limit)
    assert await quotas.balance("a", quota) == Balance(None, Allowance(limit, limit, 0.0))


def fits(changes: list[tuple[int, int]], now: int, limit: int) -> None:
    """Over every time that ends now."""
    taken = 0
    for at, change in reversed(changes):
        taken += change
        assert taken * MINUTE <= limit * (MINUTE + now - at)


@given(
    limit=st.integers(1, 500),
    reserved=st.lists(st.integers(0, 500), max_size=20),
    passing=st.integers(0, MINUTE),
)
async def test_what_nobody_used_is_given_back_to_the_last(
    limit: int, reserved: list[int], passing: int
) -> None:
    clock = Clock()
    quotas, quota = MemoryQuotas(clock), Quota(tokens=limit)
    taken = [
        tokens
        for tokens in (min(one, limit) for one in reserved)
        if await quotas.reserve("a", quota, tokens) is None
    ]
    assert sum(taken) <= limit
    clock.now += passing
    for tokens in taken:
        quotas.settle("a", tokens, 0)
    assert await quotas.balance("a", quota) == Balance(None, Allowance(limit, limit, 0.0))


def test_the_clock_is_monotonic() -> None:
    assert MemoryQuotas()._clock is time.monotonic_ns


# what is no chat


def test_the_tokens_of_what_is_no_chat() -> None:
    moderation = ModerationRequest(raw={"input": "abcd"})
    assert (prompt_tokens(moderation), answer_tokens(moderation)) == (1, 0)
    assert bounds_answer(moderation)
    completion = CompletionRequest(prompts=("abcd", "abcd"))
    assert (prompt_tokens(completion), answer_tokens(completion)) == (2, ANSWER)
    assert not bounds_answer(completion)
    bounded = attrs.evolve(completion, sampling=Sampling(max_tokens=3))
    assert answer_tokens(bounded) == 6
    assert bounds_answer(bounded)


def test_the_default_model_is_for_chats() -> None:
    settings = Settings(routing=RoutingSettings(model="m"))
    assert asked_model(CompletionRequest(prompts=("a",)), settings, str) == "m"
    assert asked_model(ModerationRequest(), settings, str) == "auto"
    assert asked_model(ModerationRequest(model="x"), settings, str) == "x"
