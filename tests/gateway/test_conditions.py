"""What the names in a condition stand for."""

from __future__ import annotations

import time
from typing import get_args

import attrs
import pytest

from g4f_aio import RateLimitError, UpstreamError
from g4f_aio.gateway.breaker import COOLDOWN, IN_A_ROW
from g4f_aio.gateway.candidates import Candidate
from g4f_aio.gateway.conditions import FIGURES, Outlook, figures, shown
from g4f_aio.gateway.credentials import COOLDOWN as KEY_COOLDOWN
from g4f_aio.gateway.credentials import CredentialBook
from g4f_aio.gateway.health import ENOUGH, FORGET, REST, HealthBook
from g4f_aio.settings.condition_tree import NAMES, Kind, Value
from g4f_aio.settings.conditions import Condition
from g4f_aio.settings.secret import SecretStr
from tests.gateway.clock import Clock
from tests.server.fakes import OptionallyKeyed, entry

#: a Saturday in the afternoon
NOW = time.strptime("2026-11-21 15:30", "%Y-%m-%d %H:%M")


class Scene:
    """A provider with one model, and what is known about it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.credentials = CredentialBook(self.clock)
        self.standing = HealthBook(self.clock).standing("p", "m")
        provider = entry(OptionallyKeyed(), "p", api_key=SecretStr("k"))
        self.candidate = Candidate(provider, "m")

    def call(self, *errors: UpstreamError | None, ttft: float = 0.5) -> None:
        """Calls end with these errors, or well."""
        for error in errors:
            began = self.standing.begin()
            if error is None:
                self.standing.succeeded(ttft, 40.0)
            else:
                self.standing.failed(error, began)

    def value(self, name: str) -> Value:
        """What a name stands for now."""
        return FIGURES[name](Outlook(self.candidate, self.standing, self.credentials, NOW))


@pytest.fixture
def scene() -> Scene:
    """Nothing is known yet."""
    return Scene()


BROKEN = UpstreamError("broken")


def test_every_name_there_is_has_its_figure() -> None:
    assert set(FIGURES) == set(NAMES)


def test_before_the_first_call_what_is_measured_is_not_known(scene: Scene) -> None:
    known = {name: scene.value(name) for name in NAMES}
    assert known == {
        "success_rate": None,
        "error_rate": None,
        "ttft": None,
        "ttft_p90": None,
        "speed": None,
        "calls": 0,
        "running": 0,
        "quota_wait": 0.0,
        "resting": False,
        "open": False,
        "hour": 15,
        "weekday": 6,
    }


def test_afterwards_it_is_of_the_kind_that_it_measures(scene: Scene) -> None:
    scene.call(*[None] * ENOUGH)
    for name, kind in NAMES.items():
        value = scene.value(name)
        assert type(value) in get_args(Value) or type(value) is int
        assert (type(value) is bool) is (kind is Kind.YES_NO)


def test_shares_are_those_of_the_last_calls(scene: Scene) -> None:
    scene.call(None, BROKEN, None, None, None)
    assert (scene.value("success_rate"), scene.value("error_rate")) == (0.8, 0.2)
    assert scene.value("calls") == 5
    assert not Condition.parse("error_rate < 20%").holds({"error_rate": scene.value("error_rate")})


def test_times_and_speed_are_those_of_its_answers(scene: Scene) -> None:
    scene.call(None, None)
    assert (scene.value("ttft"), scene.value("ttft_p90"), scene.value("speed")) == (0.5, None, 40)
    scene.call(*[None] * ENOUGH, ttft=0.7)
    assert scene.value("ttft_p90") == 0.7


def test_what_was_measured_long_ago_is_not_known_any_more(scene: Scene) -> None:
    scene.call(*[BROKEN] * 3, *[None] * ENOUGH)
    scene.standing.begin()
    measured = ("success_rate", "error_rate", "ttft", "ttft_p90", "speed", "calls")
    scene.clock.advance(FORGET - 1)
    assert all(scene.value(name) for name in measured)
    scene.clock.advance(1)
    assert not any(scene.value(name) for name in measured)
    assert scene.value("running") == 1
    scene.call(None)
    assert (scene.value("error_rate"), scene.value("calls")) == (0, 1), "a new record"


def test_calls_under_way_are_counted(scene: Scene) -> None:
    scene.standing.begin()
    scene.standing.begin()
    assert scene.value("running") == 2


def test_who_failed_just_now_rests(scene: Scene) -> None:
    scene.call(BROKEN)
    assert scene.value("resting") is True
    scene.clock.advance(REST)
    assert scene.value("resting") is False


def test_who_keeps_failing_is_open_until_a_probe_may_pass(scene: Scene) -> None:
    scene.call(*[BROKEN] * IN_A_ROW)
    assert scene.value("open") is True
    scene.clock.advance(COOLDOWN)
    assert scene.value("open") is False, "else nobody would ever find out that it is well again"


def test_who_has_no_quota_left_has_it_again_in_some_seconds(scene: Scene) -> None:
    key = scene.credentials.take(scene.candidate.entry, "m")
    scene.credentials.failed(key, "m", RateLimitError("slow down"))
    assert scene.value("quota_wait") == KEY_COOLDOWN
    scene.candidate = attrs.evolve(scene.candidate, own_key="mine")
    assert scene.value("quota_wait") == 0


def test_only_the_names_of_a_condition_are_looked_up(scene: Scene) -> None:
    condition = Condition.parse("hour >= 15 and weekday > 5 or resting")
    found = figures(condition, scene.candidate, scene.standing, scene.credentials, NOW)
    assert found == {"hour": 15, "weekday": 6, "resting": False}


def test_the_time_of_day_is_that_of_this_machine(scene: Scene) -> None:
    condition = Condition.parse("hour >= 0 and weekday >= 1")
    before = time.localtime()
    found = figures(condition, scene.candidate, scene.standing, scene.credentials)
    assert (found["hour"], found["weekday"]) in [
        (now.tm_hour, now.tm_wday + 1) for now in (before, time.localtime())
    ]


def test_values_are_shown_to_people() -> None:
    values: dict[str, Value] = {"ttft": None, "resting": True, "open": False, "speed": 41.23456}
    assert shown(values) == "ttft is not known, resting is yes, open is no, speed is 41.2"
    assert shown({"calls": 3, "error_rate": 0.25}) == "calls is 3, error_rate is 0.25"
