"""A controller in a process of its own that leads a store until it is killed.

    python -m tests.server.live.holder STORE_URL

It says `leading` when it does, and writes the id of every job that it was acknowledged.
"""

import asyncio
import sys

from tests.server.live.house import hand_engine, nodes_up, running, settings, small_fleet, submit


async def main(store_url: str) -> None:
    fleet = small_fleet()
    async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
        await nodes_up(service)
        print("leading", flush=True)
        while True:
            print((await submit(service, gpus=1)).id, flush=True)
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
