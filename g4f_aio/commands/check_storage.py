"""The doctor's look at the database."""

from __future__ import annotations

import asyncio
from importlib import import_module

from ..settings import Settings, address_of
from ..storage.storage import UnopenedError

OK, FAIL = "ok", "FAIL"


async def examine_database(settings: Settings) -> tuple[str, str, str]:
    """A line of the report: whether it can be reached, and is of this version. It is not made."""
    subject = "database"
    address = address_of(settings)
    if address.in_memory:
        return (OK, subject, "in memory; nothing is kept when the server stops")
    if address.file is not None and not await asyncio.to_thread(address.file.exists):
        return (OK, subject, f"{address} (it will be made when it is needed)")
    if lacking := await asyncio.to_thread(address.lacking):
        return (FAIL, subject, f"{address}: {lacking}")
    try:
        doctor = await asyncio.to_thread(import_module, "g4f_aio.storage.doctor")
        return (OK, subject, await doctor.examine(address))
    except UnopenedError as error:
        return (FAIL, subject, f"{address}: {error}; see storage.database (--database)")
