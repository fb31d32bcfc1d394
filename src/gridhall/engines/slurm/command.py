"""Slurm's commands, for what its REST interface lacks: signal, suspend, resume, drain, token.

Every call has a time-out: when slurmctld is away these programs can hang for minutes.
"""

import asyncio
import os
import shlex

from gridhall.engines.protocol import EngineFault

TIMEOUT_S = 10.0


async def call(arguments: tuple[str, ...], slurm_conf: str) -> str:
    """What a command printed; raises EngineFault when it is absent, fails or does not answer in time."""
    said = shlex.join(arguments)
    environment = {name: value for name, value in os.environ.items() if name != "SLURM_JWT"}
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment | {"SLURM_CONF": slurm_conf},
        )
    except OSError as error:
        raise EngineFault(f"{said}: {error.strerror}: install Slurm's client programs on this machine") from error
    output, errors = await _finish(process, said)
    if process.returncode:
        raise EngineFault(f"{said}: {errors.decode(errors='replace').strip() or f'exit code {process.returncode}'}")
    return output.decode(errors="replace")


async def _finish(process: asyncio.subprocess.Process, said: str) -> tuple[bytes, bytes]:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await process.communicate()
    except TimeoutError:
        raise EngineFault(f"{said}: no answer in {TIMEOUT_S:.0f} s: is slurmctld running?") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
