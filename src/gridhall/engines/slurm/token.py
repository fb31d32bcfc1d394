"""The token that slurmrestd asks for, fetched when there is none and again before it grows old."""

import time
from pathlib import Path

from gridhall.engines.protocol import EngineFault
from gridhall.engines.slurm.command import call
from gridhall.engines.slurm.settings import SlurmSettings

LIFESPAN_S = 3600


class Token:
    """A JSON web token of one Slurm user."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._text = ""
        self._until = 0.0

    async def get(self) -> str:
        """The token; raises EngineFault when none can be had."""
        if time.monotonic() >= self._until:
            self._text = await self._fetch()
            self._until = time.monotonic() + LIFESPAN_S / 2
        return self._text

    def drop(self) -> None:
        """Forget a token that was refused."""
        self._until = 0.0

    async def _fetch(self) -> str:
        if self._settings.token_file:
            return self._read(self._settings.token_file)
        asked = ("scontrol", "token", f"lifespan={LIFESPAN_S}", f"username={self._settings.user}")
        printed = await call(self._settings.token_command or asked, self._settings.slurm_conf)
        token = printed.strip().removeprefix("SLURM_JWT=")
        if not token or " " in token:
            raise EngineFault(f"site {self._settings.site}: the token command printed no token")
        return token

    def _read(self, path: str) -> str:
        try:
            return Path(path).read_text(encoding="ascii").strip().removeprefix("SLURM_JWT=")
        except (OSError, UnicodeDecodeError) as error:
            raise EngineFault(f"{path}: {error}: put a token of {self._settings.user} there") from error
