"""How much is kept, and how long."""

from __future__ import annotations

import attrs

_DAY = 86400.0


@attrs.frozen
class Keeping:
    """How long things of one kind are kept after they were last used, in seconds, and how many.

    *most* and *room*, in bytes, are for each owner; those that were not used for longest make room.
    """

    seconds: float
    most: int
    room: int

    @classmethod
    def days(cls, days: float, most: int, room: int) -> Keeping:
        """The same with days."""
        return cls(days * _DAY, most, room)


@attrs.frozen
class Limits:
    """What is kept of each kind."""

    conversations: Keeping
    responses: Keeping
