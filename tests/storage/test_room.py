"""Room is made now and then, not each time; the stores' own tests say what goes."""

from __future__ import annotations

from pathlib import Path

from g4f_aio.core.stores import ResponseKey, StoredResponse
from g4f_aio.storage.address import Address
from g4f_aio.storage.limits import Keeping
from tests.storage.conftest import Begin, Clock


async def test_the_limits_may_be_exceeded_a_little(
    begin: Begin, tmp_path: Path, clock: Clock
) -> None:
    """One look for each sixteenth of what may be kept."""
    keeping = Keeping(10**9, 64, 10**9)
    stores = await (await begin(Address(tmp_path / "a"), responses=keeping)).open()
    most = 0
    for n in range(90):
        clock.now += 1
        await stores.responses.put(StoredResponse(ResponseKey("a", str(n)), {}, (), "P"))
        if n >= 64:
            known = [await stores.responses.known(str(old)) for old in range(n - 70, n + 1)]
            most = max(most, sum(known))
            assert sum(known) >= 64
    assert 64 < most <= 68
