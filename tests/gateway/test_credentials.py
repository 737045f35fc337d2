"""The keys of a provider: used in turn, left alone when refused, tried again later."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    GatewayError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
)
from g4f_aio.gateway import credentials as module
from g4f_aio.gateway.credentials import (
    COOLDOWN,
    LONGEST,
    LONGEST_QUARANTINE,
    QUARANTINE,
    Credential,
    CredentialBook,
)
from g4f_aio.gateway.registry import Entry
from g4f_aio.settings.secret import SecretStr
from tests.gateway.clock import Clock
from tests.server.fakes import OptionallyKeyed, Script
from tests.server.fakes import entry as made


def keyed(*keys: str, **settings: Any) -> Entry:
    """A provider with these keys."""
    found = tuple(SecretStr(key) for key in keys)
    return made(OptionallyKeyed(), "p", api_keys=found, **settings)


def refused(status: int = 401) -> UpstreamAuthError:
    """What comes when a key is no good."""
    error = UpstreamAuthError("refused")
    error.upstream_status = status
    return error


def taken(book: CredentialBook, entry: Entry, times: int, model: str = "m") -> list[str | None]:
    """The values of the next keys."""
    return [book.take(entry, model).value for _ in range(times)]


@pytest.fixture
def clock() -> Clock:
    """The time of a test."""
    return Clock()


@pytest.fixture
def book(clock: Clock) -> CredentialBook:
    """All keys of a test."""
    return CredentialBook(clock)


# in turn


def test_one_without_keys_has_one_that_is_none(book: CredentialBook) -> None:
    entry = keyed()
    assert [key.value for key in book.of(entry)] == [None]
    assert taken(book, entry, 2) == [None, None]
    assert book.any(entry) is None
    keyless = made(Script(), "q", api_key=SecretStr("never sent"))
    assert taken(book, keyless, 1) == [None]


def test_the_single_key_is_taken_every_time(book: CredentialBook) -> None:
    entry = made(OptionallyKeyed(), "p", api_key=SecretStr("a"))
    assert taken(book, entry, 3) == ["a", "a", "a"]


def test_several_are_taken_in_turn_each_once(book: CredentialBook) -> None:
    entry = keyed("b", "c", "a", api_key=SecretStr("a"))
    assert taken(book, entry, 7) == ["a", "b", "c", "a", "b", "c", "a"]


def test_the_turn_is_one_for_all_models(book: CredentialBook) -> None:
    entry = keyed("a", "b")
    assert taken(book, entry, 1, "m") + taken(book, entry, 1, "n") == ["a", "b"]


def values(book: CredentialBook, entry: Entry) -> list[str | None]:
    return [key.value for key in book.of(entry)]


def test_a_key_that_new_settings_lack_is_forgotten(book: CredentialBook) -> None:
    old, new = keyed("a", "b"), keyed("b", "c")
    (first, second) = book.of(old)
    book.failed(first, "m", refused())
    book.failed(second, "m", refused())
    book.keep({"p": new.credentials})
    assert [key.rest("m") is not None for key in book.of(new)] == [True, False]
    assert book.of(new)[0] is second
    # a request that goes on with the older settings can use its keys, and brings none back
    assert values(book, old) == ["a", "b"]
    assert book.of(old)[1] is second
    assert "'a'" not in str([list(known) for known in book._keys.values()])
    assert book.of(new)[0] is second


def test_so_are_all_of_a_provider_that_new_settings_lack(book: CredentialBook) -> None:
    old = keyed("a")
    book.failed(book.of(old)[0], "m", refused())
    book.keep({})
    assert not any(book._keys.values())
    assert book.of(old)[0].rest("m") is None, "it is another one now"


def test_one_without_keys_goes_on_without(book: CredentialBook) -> None:
    free = keyed()
    (key,) = book.of(free)
    book.keep({})
    assert book.of(free) == (key,)


def test_a_new_state_of_the_settings_keeps_what_is_known(book: CredentialBook) -> None:
    entry = keyed("a", "b", "c")
    assert taken(book, entry, 3) == ["a", "b", "c"]
    book.failed(book.of(entry)[1], "m", refused())
    reloaded = keyed("b", "d")
    assert taken(book, reloaded, 3) == ["d", "d", "d"]
    assert book.of(reloaded) is book.of(reloaded)


# refused keys


@pytest.mark.parametrize("status", [401, 402])
def test_a_refused_key_is_left_alone_for_every_model(
    book: CredentialBook, clock: Clock, status: int
) -> None:
    entry = keyed("a", "b")
    book.failed(book.take(entry, "m"), "m", refused(status))
    assert taken(book, entry, 3) == taken(book, entry, 3, "n") == ["b", "b", "b"]
    clock.advance(QUARANTINE)
    assert set(taken(book, entry, 2)) == {"a", "b"}


def test_a_forbidden_one_is_left_alone_for_that_model(book: CredentialBook) -> None:
    entry = keyed("a", "b")
    book.failed(book.take(entry, "m"), "m", refused(403))
    assert taken(book, entry, 2) == ["b", "b"]
    assert taken(book, entry, 2, "n") == ["a", "b"]


def test_it_is_left_alone_for_longer_each_time(book: CredentialBook, clock: Clock) -> None:
    entry = keyed("a")
    waits = []
    for _ in range(11):
        book.failed(book.take(entry, "m"), "m", refused())
        waits.append(book.wait(entry, "m"))
        clock.advance(waits[-1])
    assert waits[:4] == [QUARANTINE, 2 * QUARANTINE, 4 * QUARANTINE, 8 * QUARANTINE]
    assert waits[-1] == LONGEST_QUARANTINE


def test_many_calls_that_are_refused_at_once_are_one_refusal(
    book: CredentialBook, clock: Clock
) -> None:
    entry = keyed("a")
    keys = [book.take(entry, "m") for _ in range(50)]
    for key in keys:
        book.failed(key, "m", refused())
    assert book.wait(entry, "m") == QUARANTINE
    for key in keys:
        clock.advance(0.01)
        book.failed(key, "n", RateLimitError("slow down"))
    assert book.of(entry)[0].rests["n"].seconds == COOLDOWN


def test_a_success_makes_good(book: CredentialBook) -> None:
    entry = keyed("a")
    (key,) = book.of(entry)
    for where in ("m", "n"):
        book.failed(key, where, refused(403))
    book.failed(key, "m", refused())
    key.succeeded("m")
    assert book.wait(entry, "m") == 0
    assert book.wait(entry, "n") == QUARANTINE
    book.failed(key, "m", refused())
    assert book.wait(entry, "m") == QUARANTINE, "what was before is forgotten"


def test_when_none_is_left_the_error_says_so(book: CredentialBook, clock: Clock) -> None:
    entry = keyed("first-secret", "second-secret")
    for _ in range(2):
        book.failed(book.take(entry, "m"), "m", refused())
        clock.advance(1)
    with pytest.raises(UpstreamAuthError, match=r"^p refused every key.*again in 8 s") as caught:
        book.take(entry, "m")
    assert (caught.value.retry_after, caught.value.provider) == (QUARANTINE - 2, "p")
    assert "secret" not in caught.value.message
    assert book.wait(entry, "m") == QUARANTINE - 2


# quotas


def test_a_key_without_quota_rests_for_that_model(book: CredentialBook, clock: Clock) -> None:
    entry = keyed("a", "b")
    book.failed(book.take(entry, "m"), "m", RateLimitError("slow down"))
    assert taken(book, entry, 2) == ["b", "b"]
    assert set(taken(book, entry, 2, "n")) == {"a", "b"}
    clock.advance(COOLDOWN)
    assert set(taken(book, entry, 2)) == {"a", "b"}


def test_as_long_as_the_upstream_says(book: CredentialBook, clock: Clock) -> None:
    entry = keyed("a")
    (key,) = book.of(entry)
    for hint, wait in ((3.5, 3.5), (0.0, 0.0), (7200.0, LONGEST_QUARANTINE)):
        book.failed(key, "m", RateLimitError("slow down", retry_after=hint))
        assert book.wait(entry, "m") == wait
        clock.advance(wait)
        assert book.take(entry, "m") is key


def test_else_for_longer_each_time(book: CredentialBook, clock: Clock) -> None:
    entry = keyed("a")
    waits = []
    for _ in range(11):
        book.failed(book.take(entry, "m"), "m", RateLimitError("slow down"))
        waits.append(book.wait(entry, "m"))
        clock.advance(waits[-1])
    assert waits[:4] == [COOLDOWN, 2 * COOLDOWN, 4 * COOLDOWN, 8 * COOLDOWN]
    assert waits[-1] == LONGEST


def test_when_no_key_has_quota_left_the_error_is_a_limit(
    book: CredentialBook, clock: Clock
) -> None:
    entry = keyed("a", "b")
    for hint in (9.0, 4.0):
        book.failed(book.take(entry, "m"), "m", RateLimitError("slow down", retry_after=hint))
    clock.advance(0.5)
    with pytest.raises(RateLimitError, match=r"^Every key of p has used up.*in 3\.5 s") as caught:
        book.take(entry, "m")
    assert (caught.value.retry_after, caught.value.provider) == (3.5, "p")


def test_the_key_that_comes_back_first_says_what_is_the_matter(book: CredentialBook) -> None:
    entry = keyed("a", "b")
    book.failed(book.take(entry, "m"), "m", refused())
    book.failed(book.take(entry, "m"), "m", RateLimitError("slow down", retry_after=20))
    with pytest.raises(UpstreamAuthError):
        book.take(entry, "m")


# the rest


@pytest.mark.parametrize(
    "error", [BadRequestError("yours"), UpstreamError("broken"), AuthenticationError("your own")]
)
def test_what_is_no_fault_of_the_key_leaves_it_be(
    book: CredentialBook, error: GatewayError
) -> None:
    entry = keyed("a")
    book.failed(book.take(entry, "m"), "m", error)
    assert book.wait(entry, "m") == 0
    assert book.take(entry, "m").rests == {}


def test_a_list_of_models_is_asked_for_with_a_key_that_does_not_rest(book: CredentialBook) -> None:
    entry = keyed("a", "b")
    assert book.any(entry) == "a"
    book.failed(book.of(entry)[0], "m", refused(403))
    assert book.any(entry) == "a", "it may do other things"
    book.failed(book.of(entry)[0], "m", refused())
    assert book.any(entry) == "b"
    book.failed(book.of(entry)[1], "m", refused())
    assert book.any(entry) == "a"


def test_there_is_an_end_to_the_models_that_are_remembered(
    book: CredentialBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients may name any model."""
    monkeypatch.setattr(module, "MODELS", 5)
    (key,) = book.of(keyed("a"))
    for number in range(100):
        book.failed(key, f"made up {number}", RateLimitError("slow down"))
        assert len(key.rests) <= 5


def test_a_key_does_not_show() -> None:
    assert "secret" not in repr(Credential("secret"))


def test_without_a_clock_it_is_the_systems() -> None:
    book, entry = CredentialBook(), keyed("a")
    book.failed(book.take(entry, "m"), "m", RateLimitError("slow down", retry_after=60))
    assert 50 < book.wait(entry, "m") <= 60


STEPS = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.5, 1.0, 10.0, 300.0])),
    st.tuples(st.just("ask"), st.sampled_from(["ok", "401", "403", "429", "429 hint", "500"])),
)
ERRORS: dict[str, GatewayError] = {
    "401": refused(),
    "403": refused(403),
    "429": RateLimitError("slow down"),
    "429 hint": RateLimitError("slow down", retry_after=7.0),
    "500": UpstreamError("broken"),
}


@given(st.integers(1, 4), st.lists(st.tuples(STEPS, st.sampled_from(["m", "n"])), max_size=80))
def test_a_resting_key_is_never_taken_and_every_good_one_is_in_turn(
    count: int, steps: list[tuple[tuple[str, float] | tuple[str, str], str]]
) -> None:
    clock = Clock()
    book = CredentialBook(clock)
    entry = keyed(*(f"k{number}" for number in range(count)))
    #: of each key and model, how often others were taken since it was
    passed_over: dict[Credential, int] = dict.fromkeys(book.of(entry), 0)
    for (kind, what), model in steps:
        if kind == "pass":
            clock.advance(float(what))
            continue
        rests = {key: key.rest(model) for key in book.of(entry)}
        good = {key for key, rest in rests.items() if rest is None or rest.until <= clock()}
        assert (book.wait(entry, model) == 0) is bool(good)
        if not good:
            with pytest.raises(GatewayError) as caught:
                book.take(entry, model)
            assert caught.value.retry_after == book.wait(entry, model)
            continue
        key = book.take(entry, model)
        assert key in good
        for other in good - {key}:
            passed_over[other] += 1
            assert passed_over[other] < 2 * count, "it should have had its turn"
        passed_over[key] = 0
        if what == "ok":
            key.succeeded(model)
            assert key.rest(model) is None
        else:
            book.failed(key, model, ERRORS[str(what)])
            rest = key.rest(model)
            rests_now = rest is not None and rest.until > clock()
            assert rests_now is (what != "500")
