"""What is learned of providers, as protocols: who keeps it is chosen where the ``Desk`` is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..core.errors import GatewayError
from .credentials import Credential
from .health import Health, Standing
from .registry import Entry


class HealthStore(Protocol):
    """How each provider and each of its models has been doing, with their breakers.

    Every request asks for it, so nothing here waits: what it hands out is this process's copy. One
    that several processes share brings its copies in line with the others' in the background.
    """

    def of(self, provider: str, *, local: bool = False) -> Health:
        """The record of a provider, made when it is new. *local*: it runs on this machine."""

    def standing(self, provider: str, model: str, *, local: bool = False) -> Standing:
        """A provider with one of its models; the same one as long as calls are under way."""

    def standings(self) -> dict[tuple[str, str], Standing]:
        """All that are known, by provider and model."""


class CredentialStore(Protocol):
    """The keys held for each provider, and which of them rest; copies, as in ``HealthStore``."""

    def of(self, entry: Entry) -> tuple[Credential, ...]:
        """The keys of a provider; one without value where it has none."""

    def keep(self, held: Mapping[str, tuple[str | None, ...]]) -> None:
        """Forget every key but those *held*, by the names of their providers."""

    def wait(self, entry: Entry, model: str) -> float:
        """Seconds until a key of it may be used for *model*; 0 when one may be used now."""

    def any(self, entry: Entry) -> str | None:
        """A key for what costs nothing, such as a list of models."""

    def take(self, entry: Entry, model: str) -> Credential:
        """The next key in turn that does not rest; the error that says why when there is none."""

    def failed(self, credential: Credential, model: str, error: GatewayError) -> None:
        """A call with it failed."""
