"""How long a provider may take, and what counts as its time."""

from __future__ import annotations

import asyncio
import math

import pytest

from g4f_aio import Timeouts, UpstreamTimeoutError
from g4f_aio.core.deadline import Deadline
from g4f_aio.gateway.patience import Patience

TIMES = Timeouts(connect=1, headers=2, first_token=10, idle=5, total=60)


class Alarm(Deadline):
    """A deadline whose time passes when a test says so."""

    def __init__(self) -> None:  # there is no event loop
        self.at = 1000.0
        self.when = None
        self.rings = math.inf
        self.rang = False

    def now(self) -> float:
        return self.at

    def set(self, when: float) -> None:
        self.when = when

    def passed(self) -> bool:
        return self.rang


class Wait:
    """A provider's events, waited for one by one."""

    def __init__(self, timeouts: Timeouts = TIMES, *, streamed: bool = True) -> None:
        self.alarm = Alarm()
        self.patience = Patience("acme", timeouts, self.alarm, streamed=streamed)

    def left(self) -> float:
        """Seconds that the next event may take."""
        if self.alarm.when is None:
            self.patience.begin()
        assert self.alarm.when is not None
        return self.alarm.when - self.alarm.at

    def got(self, *, after: float, token: bool = True) -> None:
        """The next event comes after so many seconds."""
        assert after < self.left()
        self.alarm.at += after
        self.patience.got() if token else self.patience.noticed()
        assert self.alarm.when is None

    def message(self) -> str:
        """What is said when the next event takes too long."""
        self.alarm.at += self.left()
        self.patience.over()
        return self.patience.error().message


def test_the_first_token_is_not_waited_for_for_ever() -> None:
    wait = Wait()
    assert wait.left() == 10
    assert wait.message() == "acme began no answer for 10 s"
    error = wait.patience.error()
    assert isinstance(error, UpstreamTimeoutError)
    assert (error.status, error.code, error.provider) == (504, "provider_timeout", "acme")


def test_nor_is_the_next_one() -> None:
    wait = Wait()
    wait.got(after=9)
    assert wait.left() == 5
    wait.got(after=4)
    assert wait.left() == 5
    assert wait.message() == "acme sent no token for 5 s"


def test_nor_is_the_end() -> None:
    wait = Wait()
    for _ in range(14):
        wait.got(after=4)
    assert wait.left() == 4
    assert wait.message() == "acme did not finish within 60 s"


def test_where_both_times_end_at_once_it_is_the_end_that_is_missed() -> None:
    wait = Wait(Timeouts(first_token=60, total=60))
    assert wait.message() == "acme did not finish within 60 s"


def test_the_first_events_time_is_noted() -> None:
    wait = Wait()
    assert wait.patience.first_after is None
    wait.got(token=False, after=1)
    assert wait.patience.first_after is None
    wait.got(after=2)
    wait.got(after=3)
    assert wait.patience.first_after == 3


def test_who_does_not_stream_gets_it_all_at_the_end() -> None:
    wait = Wait(streamed=False)
    assert wait.left() == 60
    assert wait.message() == "acme did not finish within 60 s"


def test_notices_are_no_tokens() -> None:
    wait = Wait()
    for _ in range(3):
        wait.got(token=False, after=3)
    assert wait.left() == 1
    assert wait.message() == "acme began no answer for 10 s"
    wait = Wait()
    wait.got(after=1)
    wait.got(token=False, after=3)
    assert wait.left() == 2


def test_the_time_a_slow_client_takes_is_not_the_providers() -> None:
    wait = Wait()
    wait.alarm.at += 1000
    assert wait.left() == 10
    wait.got(after=1)
    wait.alarm.at += 1000
    assert wait.left() == 5
    wait.got(token=False, after=3)
    wait.alarm.at += 1000
    assert wait.left() == 2
    for _ in range(27):
        wait.got(after=1)
        wait.alarm.at += 1000
    wait.got(after=4)
    for _ in range(6):
        wait.got(after=4)
    assert wait.left() == 60 - 1 - 3 - 27 - 7 * 4


def test_when_nothing_came_nothing_is_waited_for_any_more() -> None:
    wait = Wait()
    wait.patience.begin()
    wait.patience.over()
    assert wait.alarm.when is None


def test_the_deadline_knows_whether_it_was_too_long() -> None:
    wait = Wait()
    assert not wait.patience.passed()
    wait.alarm.rang = True
    assert wait.patience.passed()


async def test_with_a_real_deadline() -> None:
    deadline = Deadline()
    patience = Patience("acme", Timeouts(first_token=0.02), deadline, streamed=True)
    patience.begin()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(30)
    assert patience.passed()
    assert patience.error().message == "acme began no answer for 0.02 s"
    deadline.close()
