"""How much is kept, and how long."""

from __future__ import annotations

from g4f_aio.storage.limits import Keeping


def test_days_become_seconds() -> None:
    assert Keeping.days(1.5, 2, 3) == Keeping(129_600, 2, 3)
