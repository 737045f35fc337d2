"""Who blocks the event loop is found, with the line; who merely takes long is not."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from g4f_aio.testing.loop_watch import LoopWatch, StuckError


def mine(filename: str) -> bool:
    """Whether a file is this one."""
    return filename == __file__


def spin(seconds: float) -> None:
    """Keep the processor busy for so long, however many others want it."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_a_block_is_found_with_its_line_and_length() -> None:
    with LoopWatch(mine, limit=0.1, patience=10) as watch:
        await asyncio.sleep(0)
        spin(0.5)
        await asyncio.sleep(0.05)
    (block,) = watch.blocks
    assert block.where.startswith("test_loop_watch.py:")
    assert block.where.endswith(" in spin")
    assert block.line in ("while time.thread_time() < until:", "pass")
    assert 0.2 < block.seconds < 5


async def test_each_block_is_found() -> None:
    with LoopWatch(mine, limit=0.1, patience=10) as watch:
        for _ in range(2):
            spin(0.4)
            await asyncio.sleep(0.05)
    assert len(watch.blocks) == 2


async def test_who_waits_as_one_should_is_left_alone() -> None:
    with LoopWatch(mine, limit=0.1, patience=10) as watch:
        for _ in range(20):
            await asyncio.sleep(0.01)
            spin(0.01)
    assert watch.blocks == []


async def test_code_of_others_is_left_alone() -> None:
    with LoopWatch(lambda _: False, limit=0.1, patience=10) as watch:
        spin(0.4)
    assert watch.blocks == []


async def test_code_that_never_ends_is_interrupted() -> None:
    with LoopWatch(mine, limit=0.1, patience=0.3) as watch:
        await asyncio.sleep(0)
        with pytest.raises(StuckError):
            spin(60)
    assert len(watch.blocks) == 1


async def laze(rounds: int) -> None:
    """Be busy in small portions, as one should."""
    with LoopWatch(mine, limit=0.1, patience=10) as watch:
        print("begun", flush=True)  # noqa: T201  (for the process that watches this one)
        for _ in range(rounds):
            spin(0.01)
            await asyncio.sleep(0)
    print(watch.blocks)  # noqa: T201


def test_a_machine_that_does_not_let_the_process_run_blocks_nothing() -> None:
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # as long as it is not let run
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == "[]\n"
    assert process.returncode == 0


async def test_a_call_into_c_that_holds_the_interpreter_is_found() -> None:
    def match(pattern: Callable[[str], object]) -> None:
        pattern("a" * 24 + "b")

    with LoopWatch(mine, limit=0.1, patience=30) as watch:
        await asyncio.sleep(0.05)
        match(re.compile("(a+)+$").match)
        await asyncio.sleep(0.05)
    assert [block.where.rpartition(" ")[2] for block in watch.blocks] == ["match"]


if __name__ == "__main__":
    asyncio.run(laze(100))
