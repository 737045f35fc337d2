"""In which order candidates are asked, and who is left alone for now."""

from __future__ import annotations

import pytest

from g4f_aio import (
    OverloadedError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.gateway.breaker import COOLDOWN, IN_A_ROW, PROBE
from g4f_aio.gateway.candidates import Candidate
from g4f_aio.gateway.choice import SLOW, places, ready
from g4f_aio.gateway.credentials import COOLDOWN as KEY_COOLDOWN
from g4f_aio.gateway.credentials import CredentialBook
from g4f_aio.gateway.health import FORGET, REST, HealthBook
from g4f_aio.gateway.quarantine import Quarantine
from g4f_aio.settings.conditions import Condition
from g4f_aio.settings.secret import SecretStr
from tests.gateway.clock import Clock
from tests.server.fakes import OptionallyKeyed, entry

BROKEN = UpstreamError("it broke")


class Scene:
    """Providers ``a``, ``b`` and ``c`` with a model ``m``, and what is known about them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.health = HealthBook(self.clock)
        self.credentials = CredentialBook(self.clock)
        self.quarantine = Quarantine(self.clock)
        #: under which condition each of them is asked
        self.when: dict[str, Condition] = {}
        key = SecretStr("k")
        self.entries = {name: entry(OptionallyKeyed(), name, api_key=key) for name in "abc"}

    def fail(self, name: str, times: int = 1, error: UpstreamError = BROKEN) -> None:
        """So many calls of it fail."""
        standing = self.health.standing(name, "m")
        for _ in range(times):
            standing.failed(error, standing.begin())

    def succeed(self, name: str, times: int = 1, after: float = 0.1) -> None:
        """So many calls of it succeed, the first event coming *after* so many seconds."""
        standing = self.health.standing(name, "m")
        for _ in range(times):
            standing.begin()
            standing.succeeded(after, None)

    def refuse(self, name: str) -> None:
        """Its key has no quota left."""
        key = self.credentials.take(self.entries[name], "m")
        self.credentials.failed(key, "m", RateLimitError("slow down"))

    def candidates(self, names: str = "abc", own: str = "", *, auto: bool) -> list[Candidate]:
        """They in this order; the caller brings a key for *own*."""
        return [
            Candidate(
                self.entries[name],
                "m",
                "mine" if name in own else None,
                automatic=auto,
                when=self.when.get(name),
            )
            for name in names
        ]

    def order(self, names: str = "abc", *, auto: bool = False) -> str:
        """The order in which they are to be asked, with those who may not be at the end."""
        found = places(
            self.candidates(names, auto=auto), self.health, self.credentials, self.quarantine
        )
        return "".join(place.candidate.entry.name for place in found)

    def asked(self, names: str = "abc", own: str = "") -> str:
        """Those who may be asked now, in order."""
        wanted = self.candidates(names, own, auto=False)
        found = ready(
            places(wanted, self.health, self.credentials, self.quarantine), self.credentials
        )
        return "".join(place.candidate.entry.name for place in found)


@pytest.fixture
def scene() -> Scene:
    """Nothing is known yet."""
    return Scene()


@pytest.mark.parametrize("auto", [False, True])
def test_at_first_the_order_is_that_of_the_settings(scene: Scene, *, auto: bool) -> None:
    assert scene.order(auto=auto) == "abc"
    assert scene.order("cab", auto=auto) == "cab"


@pytest.mark.parametrize("auto", [False, True])
def test_who_failed_just_now_comes_after_the_others(scene: Scene, *, auto: bool) -> None:
    scene.fail("a")
    assert scene.order(auto=auto) == "bca"
    scene.fail("b")
    assert scene.order(auto=auto) == "cab"
    scene.clock.advance(REST)
    assert scene.order(auto=auto) == "abc"


def test_why_it_does_is_told(scene: Scene) -> None:
    scene.fail("a")
    found = places(scene.candidates(auto=False), scene.health, scene.credentials, scene.quarantine)
    assert [place.why for place in found] == ["", "", "a failed just now"]


def test_who_keeps_failing_is_not_asked_at_all(scene: Scene) -> None:
    scene.fail("a", IN_A_ROW)
    scene.fail("b")
    assert scene.order() == "cba"
    assert scene.asked() == "cb"
    scene.clock.advance(COOLDOWN)
    assert scene.asked() == "cab"


def test_nor_is_who_is_tried_by_another_request_just_now(scene: Scene) -> None:
    scene.fail("a", IN_A_ROW)
    scene.clock.advance(COOLDOWN)
    scene.health.standing("a", "m").begin()
    assert scene.asked() == "bc"


def test_nor_is_who_has_no_key_left(scene: Scene) -> None:
    scene.refuse("a")
    assert scene.asked() == "bc"
    scene.clock.advance(KEY_COOLDOWN)
    assert scene.asked() == "abc"


def test_unless_the_caller_brings_a_key_for_it(scene: Scene) -> None:
    scene.refuse("a")
    assert scene.asked(own="a") == "abc"
    scene.fail("a", IN_A_ROW)
    assert scene.asked(own="a") == "bc", "no key helps where the model is broken"


# of those that nobody named


def test_who_is_slow_to_begin_comes_after_the_others(scene: Scene) -> None:
    scene.succeed("b", after=1.0)
    scene.succeed("a", after=SLOW * 1.0 + 0.1)
    assert scene.order(auto=True) == "bca", "of c nothing is known"
    assert scene.order("ac", auto=True) == "ac", "nobody was faster"
    assert scene.order() == "abc", "who is named is asked in the order of the settings"


def test_a_little_slower_is_no_matter(scene: Scene) -> None:
    scene.succeed("a", after=SLOW)
    scene.succeed("b", after=1.0)
    assert scene.order(auto=True) == "abc"


def test_who_fails_half_of_its_calls_comes_after_the_others(scene: Scene) -> None:
    scene.fail("a", 3)
    scene.succeed("a", 1)
    scene.clock.advance(REST)
    assert scene.order(auto=True) == "abc", "too few calls to say"
    scene.succeed("a", 1)
    assert scene.order(auto=True) == "bca"
    assert scene.order() == "abc"
    scene.succeed("a", 1)
    assert scene.order(auto=True) == "abc"


def test_what_weighs_most(scene: Scene) -> None:
    """Alone for now, then failed just now, then often, then slow."""
    scene.fail("a", 3)
    scene.succeed("a", 2, after=0.1)
    scene.clock.advance(REST)
    scene.succeed("b", after=9.0)
    assert scene.order(auto=True) == "cba"
    scene.fail("c")
    assert scene.order(auto=True) == "bac"
    scene.fail("b", IN_A_ROW)
    assert scene.order(auto=True) == "acb"


def test_why_one_comes_later_is_told(scene: Scene) -> None:
    scene.succeed("a", 2, after=3.0)
    scene.succeed("b", 5, after=1.0)
    scene.fail("c", 3)
    scene.succeed("c", 2, after=1.0)
    scene.clock.advance(REST)
    found = places(scene.candidates(auto=True), scene.health, scene.credentials, scene.quarantine)
    assert [(place.candidate.entry.name, place.why) for place in found] == [
        ("b", ""),
        ("a", "a takes 3 s to begin, the fastest 1 s"),
        ("c", "only 40% of the last calls of c succeeded"),
    ]


def test_what_was_long_ago_speaks_against_nobody(scene: Scene) -> None:
    """Who is asked last gets no calls that could make it look better."""
    scene.fail("a", 5)
    scene.succeed("b", after=3.0)
    scene.succeed("c", after=1.0)
    scene.clock.advance(FORGET)
    assert scene.order(auto=True) == "abc"


def test_who_was_left_out_for_its_failures_gets_another_chance(scene: Scene) -> None:
    scene.when["a"] = Condition.parse("error_rate < 20%")
    scene.fail("a", 3)
    scene.succeed("b")
    assert scene.asked("ab") == "b"
    scene.clock.advance(FORGET)
    assert scene.asked("ab") == "ab"
    scene.fail("a")
    assert scene.asked("ab") == "b"
    scene.clock.advance(FORGET)
    scene.succeed("a")
    assert scene.asked("ab") == "ab"


# conditions


def test_who_is_asked_under_a_condition_is_left_out_while_it_does_not_hold(scene: Scene) -> None:
    scene.when["a"] = Condition.parse("running < 1")
    assert scene.asked() == "abc"
    began = scene.health.standing("a", "m").begin()
    assert scene.order() == "bca"
    assert scene.asked() == "bc"
    scene.health.standing("a", "m").release(began)
    assert scene.asked() == "abc"


def test_no_condition_hides_that_it_keeps_failing(scene: Scene) -> None:
    scene.when["a"] = Condition.parse("calls < 100")
    scene.fail("a", IN_A_ROW)
    assert scene.asked() == "bc"


def test_when_no_condition_holds_nobody_can_say_when_one_will(scene: Scene) -> None:
    scene.when["a"] = scene.when["b"] = Condition.parse("calls > 3")
    with pytest.raises(OverloadedError) as caught:
        scene.asked("ab")
    assert caught.value.message == (
        "No provider can be asked now: a is asked only when calls > 3 (calls is 0); "
        "b is asked only when calls > 3 (calls is 0)"
    )
    assert caught.value.retry_after is None
    with pytest.raises(OverloadedError, match="a is asked only when"):
        scene.asked("a")
    scene.refuse("c")
    with pytest.raises(OverloadedError) as caught:
        scene.asked()
    assert caught.value.retry_after == KEY_COOLDOWN


# nobody is left


def test_when_nobody_may_be_asked_the_error_says_why_and_until_when(scene: Scene) -> None:
    scene.fail("a", IN_A_ROW)
    scene.clock.advance(1)
    scene.fail("b", IN_A_ROW, UpstreamTimeoutError("it was late"))
    scene.refuse("c")
    scene.clock.advance(0.25)
    with pytest.raises(OverloadedError) as caught:
        scene.asked("ab")
    error = caught.value
    assert error.message == (
        "No provider can be asked now: a keeps failing (it broke); b keeps failing (it was late). "
        "Try again in 3.8 s"
    )
    assert (error.status, error.code, error.provider) == (503, "no_provider_available", "a")
    assert error.retry_after == COOLDOWN - 1.25
    with pytest.raises(OverloadedError, match="every key of c rests") as caught:
        scene.asked()
    assert caught.value.retry_after == KEY_COOLDOWN - 0.25


def test_a_broken_one_alone_is_overload_too(scene: Scene) -> None:
    scene.fail("a", IN_A_ROW)
    with pytest.raises(OverloadedError) as caught:
        scene.asked("a")
    assert caught.value.retry_after == COOLDOWN
    scene.clock.advance(COOLDOWN)
    scene.health.standing("a", "m").begin()
    with pytest.raises(OverloadedError) as caught:
        scene.asked("a")
    assert caught.value.retry_after == PROBE


def test_one_alone_whose_keys_rest_has_the_error_of_its_keys(scene: Scene) -> None:
    scene.refuse("a")
    with pytest.raises(RateLimitError) as caught:
        scene.asked("a")
    assert caught.value.retry_after == KEY_COOLDOWN
    key = scene.credentials.take(scene.entries["b"], "m")
    scene.credentials.failed(key, "m", UpstreamAuthError("refused"))
    with pytest.raises(UpstreamAuthError):
        scene.asked("b")


def test_who_was_unreachable_with_another_model_says_so(scene: Scene) -> None:
    gone = UpstreamError("a: cannot connect")
    gone.unreachable = True
    standing = scene.health.standing("a", "another")
    for _ in range(IN_A_ROW):
        standing.failed(gone, standing.begin())
    with pytest.raises(OverloadedError, match=r"a keeps failing \(a: cannot connect\)"):
        scene.asked("a")


def test_who_blocks_the_event_loop_is_left_alone_for_a_while() -> None:
    scene = Scene()
    for _ in range(3):
        scene.quarantine.strike("a", 0.3)
    assert scene.order() == "bca"
    found = places(
        scene.candidates("a", auto=False), scene.health, scene.credentials, scene.quarantine
    )
    with pytest.raises(OverloadedError, match="No provider can be asked now: ") as caught:
        ready(found, scene.credentials)
    assert caught.value.retry_after == found[0].wait > 0
