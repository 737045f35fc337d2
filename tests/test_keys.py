"""The values that handlers find under the keys."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.stores import Quota
from g4f_aio.gateway.limits import Limits
from g4f_aio.keys import Caller, Current
from g4f_aio.settings import Settings


def test_a_caller_is_no_admin_unless_it_is_said() -> None:
    assert not Caller("friend").admin


def test_a_callers_own_key_shows_up_nowhere() -> None:
    assert "sk-canary" not in repr(Caller("friend", provider_key="sk-canary"))


def test_a_caller_with_a_key_of_his_own_is_the_same_one() -> None:
    friend = Caller("friend", admin=True, limits=Limits(Quota(5)))
    assert friend.bringing("sk-own") == attrs.evolve(friend, provider_key="sk-own")


def test_a_caller_does_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Caller("friend").admin = True  # type: ignore[misc]


def test_at_first_nothing_has_changed_and_nothing_is_stopping() -> None:
    current = Current(Settings())
    assert not current.changed.is_set()
    assert not current.draining
