"""What a provider or a model can do, and what a model is called."""

from __future__ import annotations

import enum

import attrs


class Capability(enum.Flag):
    """What a request asks for, and what a provider or a model declares."""

    NONE = 0
    CHAT = enum.auto()
    STREAM = enum.auto()
    VISION = enum.auto()
    AUDIO_INPUT = enum.auto()
    AUDIO_OUTPUT = enum.auto()
    FILES = enum.auto()
    TOOLS = enum.auto()
    JSON_OBJECT = enum.auto()
    JSON_SCHEMA = enum.auto()
    LOGPROBS = enum.auto()
    SEVERAL_CHOICES = enum.auto()
    REASONING = enum.auto()
    WEB_SEARCH = enum.auto()
    IMAGE = enum.auto()
    IMAGE_EDIT = enum.auto()
    VIDEO = enum.auto()
    SPEECH = enum.auto()
    TRANSCRIPTION = enum.auto()
    EMBEDDINGS = enum.auto()
    MODERATIONS = enum.auto()

    @property
    def names(self) -> tuple[str, ...]:
        """The single flags in it, in lower case, in order of declaration."""
        return tuple(str(flag.name).lower() for flag in self)


@attrs.frozen
class ModelInfo:
    """A model as its provider names it.

    *capabilities* of None means "as its provider". *context_length* counts tokens. *created* is
    Unix time in seconds, 0 when unknown. *aliases* are further names it answers to here.
    *not_a_language_model* marks an engine that answers without one. *by_name_only* marks one that is
    never taken as a default, such as a model of a local server that runs elsewhere.
    """

    id: str
    capabilities: Capability | None = None
    context_length: int | None = None
    aliases: tuple[str, ...] = ()
    owned_by: str | None = None
    created: int = 0
    not_a_language_model: bool = False
    by_name_only: bool = False

    @property
    def may_be_default(self) -> bool:
        """Whether it may answer a chat that names no model, as far as is known."""
        chats = self.capabilities is None or Capability.CHAT in self.capabilities
        return chats and not self.by_name_only
