"""Ids: a prefix that says what it names, the time, and enough chance that nobody guesses one."""

import secrets
import time


def new_id(prefix: str) -> str:
    """An id that sorts by time of making: `prefix_` and 27 hexadecimal digits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(8)}"
