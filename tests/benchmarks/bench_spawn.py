"""How many processes a second: asyncio's own subprocesses against the engine's executor.

    python -m tests.benchmarks.bench_spawn [COUNT]

Both run `true`, two at once, with stdout and stderr in a file that is open; rounds alternate, medians are shown.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable

from specular_tui.engine.executor import Exit, Work
from specular_tui.engine.exits import Exits
from specular_tui.engine.process import ProcessExecutor

AT_ONCE = 2
ROUNDS = 5


async def by_asyncio(count: int, log_fd: int) -> None:
    async def worker(share: int) -> None:
        for _ in range(share):
            child = await asyncio.create_subprocess_exec(
                "true",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                cwd="/",
                env=dict(os.environ),
                process_group=0,
            )
            await child.wait()

    await asyncio.gather(*(worker(count // AT_ONCE) for _ in range(AT_ONCE)))


async def by_executor(count: int, log_fd: int) -> None:
    loop = asyncio.get_running_loop()
    exits = Exits(loop)
    executor = ProcessExecutor(exits)
    work = Work(task="t", attempt=1, command=("true",), env=dict(os.environ), workdir="/", log_fd=log_fd)
    done = loop.create_future()
    left = count
    started = 0

    def start() -> None:
        nonlocal started
        started += 1
        executor.start(work, ended)

    def ended(end: Exit) -> None:
        nonlocal left
        left -= 1
        if started < count:
            start()
        elif not left:
            done.set_result(None)

    for _ in range(AT_ONCE):
        start()
    await done
    exits.close()
    executor.close()


def rate(way: Callable[[int, int], Awaitable[None]], count: int) -> float:
    async def run(log_fd: int) -> float:
        began = time.perf_counter()
        await way(count, log_fd)
        return count / (time.perf_counter() - began)

    with tempfile.TemporaryFile() as log:
        return asyncio.run(run(log.fileno()))


def main(count: int) -> None:
    found: dict[str, list[float]] = {"asyncio": [], "executor": []}
    for _ in range(ROUNDS):
        found["asyncio"].append(rate(by_asyncio, count))
        found["executor"].append(rate(by_executor, count))
    for name, rates in found.items():
        print(f"{name:9} {statistics.median(rates):6.0f} a second")
    print(f"{'ratio':9} {statistics.median(b / a for a, b in zip(*found.values(), strict=True)):6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
