"""The log's line for each request that has ended: who asked, who answered, how long it took."""

from __future__ import annotations

import logging

from ..core.record import RequestRecord

#: characters of a name that are logged
LONGEST = 200
_log = logging.getLogger(__name__)


class Summary:
    """Logs a line for each request; an ``Observer``. It has figures and names, and no content.

    The time to the first token and the whole time are in seconds.
    """

    def ended(self, record: RequestRecord) -> None:
        """Log a request that has ended."""
        answered = record.answered_by
        usage = record.usage
        fields = {
            "caller": record.caller,
            "model": record.model[:LONGEST],
            "provider": None if answered is None else answered.provider,
            "upstream_model": None if answered is None else answered.model[:LONGEST],
            "status": record.status,
            "code": record.code,
            "ttft": _seconds(record.ttft),
            "duration": _seconds(record.duration),
            "tokens_in": None if usage is None else usage.input,
            "tokens_out": None if usage is None else usage.output,
            "attempts": len(record.attempts),
            "cache": record.cache,
        }
        extra = {name: value for name, value in fields.items() if value not in (None, "")}
        _log.info("%s %s", record.dialect, record.outcome, extra=extra)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
