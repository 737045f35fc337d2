"""What all requests share and no reload forgets."""

from __future__ import annotations

from functools import partial

import attrs

from ..core.deadline import Deadline
from .budget import RetryBudget
from .credentials import CredentialBook
from .health import HealthBook
from .leaks import LeakGuard
from .quarantine import Quarantine
from .registry import Entry
from .state import CredentialStore, HealthStore
from .tokenizing import TokenCounter
from .turnstile import Turnstile

#: the most deadlines that are kept for further use
_DEADLINES = 1000


@attrs.define(eq=False)
class Desk:
    """What all requests share and no reload forgets: how everybody has been doing, and budgets."""

    health: HealthStore = attrs.field(factory=HealthBook)
    credentials: CredentialStore = attrs.field(factory=CredentialBook)
    retries: RetryBudget = attrs.field(factory=RetryBudget)
    quarantine: Quarantine = attrs.field(factory=Quarantine)
    guard: LeakGuard = attrs.field(factory=LeakGuard)
    hedges: RetryBudget = attrs.field(factory=partial(RetryBudget, least=1))
    tokens: TokenCounter = attrs.field(factory=TokenCounter)
    _turnstiles: dict[str, Turnstile] = attrs.field(factory=dict)
    _deadlines: list[Deadline] = attrs.field(factory=list)

    def turnstile(self, entry: Entry, waiting: int) -> Turnstile:
        """The way to a provider that takes so many calls at one time, by its ``max_requests``."""
        limit = entry.settings.max_requests or 1
        found = self._turnstiles.get(entry.name)
        if found is None:
            found = self._turnstiles[entry.name] = Turnstile(limit, waiting, entry.name)
        found.limit, found.waiting = limit, waiting
        return found

    def deadline(self) -> Deadline:
        """A deadline to use and to give back; kept ones spare the event loop a timer each."""
        return self._deadlines.pop() if self._deadlines else Deadline()

    def give_back(self, deadline: Deadline) -> None:
        """It is no longer needed."""
        if deadline.spoilt or len(self._deadlines) >= _DEADLINES:
            deadline.close()
        else:
            deadline.rest()
            self._deadlines.append(deadline)

    def close(self) -> None:
        """There will be no more requests."""
        self.guard.close()
        while self._deadlines:
            self._deadlines.pop().close()
