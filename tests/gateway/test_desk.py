"""What all requests share."""

from __future__ import annotations

import asyncio

import pytest

from g4f_aio.gateway import desk as module
from g4f_aio.gateway.desk import Desk
from g4f_aio.settings.secret import SecretStr
from tests.gateway.actors import LONG
from tests.server.fakes import OptionallyKeyed, entry


@pytest.fixture
def desk() -> Desk:
    """A new one."""
    return Desk()


async def test_a_deadline_is_used_again(desk: Desk) -> None:
    first, second = desk.deadline(), desk.deadline()
    assert first is not second
    first.set(first.now() + LONG)
    desk.give_back(first)
    assert desk.deadline() is first

    async def wait() -> None:
        first.set(first.now() + 0.01)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(LONG)
        assert first.passed()

    await asyncio.ensure_future(wait())  # it is this task that it cancels now
    desk.give_back(first)
    desk.give_back(second)
    desk.close()


async def test_one_that_was_given_back_cancels_nobody(desk: Desk) -> None:
    deadline = desk.deadline()
    deadline.set(deadline.now() + 0.01)
    desk.give_back(deadline)
    await asyncio.sleep(0.03)
    desk.close()


async def test_one_whose_cancellation_nobody_took_is_not_used_again(desk: Desk) -> None:
    """A provider may swallow it."""
    deadline = desk.deadline()

    async def swallow() -> None:
        deadline.set(deadline.now() + 0.01)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(LONG)

    await asyncio.ensure_future(swallow())
    desk.give_back(deadline)
    assert desk.deadline() is not deadline


async def test_not_all_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEADLINES", 2)
    made = [desk.deadline() for _ in range(5)]
    for deadline in made:
        desk.give_back(deadline)
    assert {desk.deadline() for _ in range(3)} & set(made) == set(made[:2])
    desk.close()


def test_a_provider_has_one_way_in_with_the_limits_of_the_newest_settings(desk: Desk) -> None:
    before = desk.turnstile(entry(OptionallyKeyed(), "p", max_requests=2), 10)
    assert (before.limit, before.waiting, before.what) == (2, 10, "p")
    after = desk.turnstile(entry(OptionallyKeyed(), "p", max_requests=5), 20)
    assert after is before
    assert (after.limit, after.waiting) == (5, 20)
    assert desk.turnstile(entry(OptionallyKeyed(), "q", max_requests=2), 10) is not before


def test_further_tries_and_second_calls_have_budgets_of_their_own(desk: Desk) -> None:
    assert desk.retries.spend()
    assert desk.hedges.spend()
    assert not desk.hedges.spend()
    assert desk.retries.spend()


def test_no_key_shows(desk: Desk) -> None:
    desk.credentials.of(entry(OptionallyKeyed(), "p", api_key=SecretStr("hidden")))
    assert "hidden" not in repr(desk)
