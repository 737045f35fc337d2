"""The settings of the database."""

# ruff: noqa: RUF009  (setting() makes an attrs field)

from __future__ import annotations

import attrs

from . import checks
from .secret import SecretStr
from .setting import setting


@attrs.frozen
class StorageSettings:
    """[storage]: where things are kept between requests, how long, and how much of them."""

    database: SecretStr | None = setting(
        None,
        "sqlite:///FILE, sqlite:// (in memory) or postgresql://USER:PASSWORD@HOST/NAME; unset: a"
        " file in the data directory",
        secret=True,
        check=checks.database,
        restart=True,
    )
    conversation_days: float = setting(
        90.0,
        "days for which a conversation is kept after its last turn",
        check=checks.days,
        restart=True,
    )
    max_conversations: int = setting(
        10_000,
        "conversations kept for each key; the ones unused longest make room",
        check=checks.count,
        restart=True,
    )
    response_days: float = setting(
        30.0,
        "days for which a response is kept after its last use",
        check=checks.days,
        restart=True,
    )
    max_responses: int = setting(
        10_000,
        "responses kept for each key; the ones unused longest make room",
        check=checks.count,
        restart=True,
    )
    room_per_key: int = setting(
        256 * 2**20,
        "bytes that the conversations of a key may take, and as many again its responses",
        check=checks.size,
        restart=True,
    )
