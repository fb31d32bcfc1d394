"""What a rank may not reach: another user's files by its own uid, the server's folders by Landlock or by a mount.

Landlock can only grant, so everything beside the way to a hidden folder is granted; folders on that way can then be
neither listed nor written directly. It also keeps a rank from tracing or signalling processes outside. A namespace puts
an empty folder over each hidden one. Either way what is to stay reachable below a hidden folder is opened again.
"""

import contextlib
import ctypes
import os
import stat
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
SET_PDEATHSIG, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS = 1, 36, 38
NEW_MOUNTS, NEW_USER = 0x20000, 0x10000000
MOUNT_BIND, MOUNT_REC, MOUNT_PRIVATE, NOSUID_NODEV = 0x1000, 0x4000, 0x40000, 0x6
MOUNT_READ_ONLY, MOUNT_REMOUNT = 0x1, 0x20
SIGKILL = 9
FILE_RIGHTS = 0b100_0000_0000_0111
"""Execute, write, read and truncate: the rights that make sense on a file."""
RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1}
RIGHTS = (1 << 15) - 1
SCOPE_SIGNAL = 2


class Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr."""

    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class PathRule(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def adopt_orphans() -> None:
    """Be the parent of every descendant whose own parent is gone."""
    _prctl(SET_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """Be killed when the parent dies, also when it is dead already."""
    _prctl(SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def confine(plan: dict[str, Any]) -> None:
    """Give up every privilege and the sight of what is hidden, for good."""
    if plan["hide"] in ("mounts", "namespace"):
        hide(plan["hidden"], plan["open"], own_user=plan["hide"] == "namespace")
    if plan["uid"]:
        os.setgroups([])
        os.setresgid(plan["uid"], plan["uid"], plan["uid"])
        os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    _prctl(SET_NO_NEW_PRIVS, 1)
    if plan["hide"] == "landlock":
        _landlock(plan["hidden"], plan["open"])


def landlock_abi() -> int:
    """The Landlock version of this kernel; 0 when it has none."""
    return max(0, LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def hide(hidden: list[str], opened: list[str], own_user: bool) -> None:
    """Put an empty folder over each hidden one, in a view of the files that only this process and its children have."""
    uid, gid = os.geteuid(), os.getegid()
    _checked(LIBC.unshare(NEW_MOUNTS | (NEW_USER if own_user else 0)), "unshare")
    if own_user:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    _mount("none", "/", "", MOUNT_REC | MOUNT_PRIVATE, "")
    held = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in opened]
    for path in hidden:
        _mount("gridhall", path, "tmpfs", NOSUID_NODEV, "mode=0755,size=1m")
    for path, fd in held:
        os.makedirs(path, mode=0o755, exist_ok=True)
        _mount(f"/proc/self/fd/{fd}", path, "", MOUNT_BIND | MOUNT_REC, "")
        os.close(fd)
    for path in hidden:
        # What a job would write here would be gone with it; better that it hears so.
        _mount("gridhall", path, "", NOSUID_NODEV | MOUNT_REMOUNT | MOUNT_BIND | MOUNT_READ_ONLY, "")


def _landlock(hidden: list[str], opened: list[str]) -> None:
    abi = landlock_abi()
    rights = RIGHTS_BY_ABI.get(abi, RIGHTS)
    attributes = Ruleset(rights, 0, SCOPE_SIGNAL if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = LIBC.syscall(CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    _checked(ruleset, "landlock_create_ruleset")
    for path in [*_beside(hidden), *opened]:
        _grant(ruleset, path, rights)
    _checked(LIBC.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)), "landlock_restrict_self")
    os.close(ruleset)


def _beside(hidden: list[str]) -> list[str]:
    """Everything that lies beside the ways from the root to the hidden folders."""
    ways = {"/"}
    for path in hidden:
        while path != "/":
            ways.add(path)
            path = os.path.dirname(path)
    found: list[str] = []
    for folder in ways - set(hidden):
        with contextlib.suppress(OSError):
            found.extend(path for name in os.listdir(folder) if (path := os.path.join(folder, name)) not in ways)
    return found


def _grant(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    mode = os.fstat(fd).st_mode
    if not stat.S_ISLNK(mode):
        rule = PathRule(rights if stat.S_ISDIR(mode) else rights & FILE_RIGHTS, fd)
        done = LIBC.syscall(ADD_RULE, ruleset, ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
        _checked(done, f"landlock_add_rule {path}")
    os.close(fd)


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    _checked(LIBC.prctl(option, ctypes.c_ulong(value), zero, zero, zero), "prctl")


def _mount(source: str, target: str, kind: str, flags: int, data: str) -> None:
    words = [os.fsencode(word) for word in (source, target, kind)]
    _checked(LIBC.mount(*words, ctypes.c_ulong(flags), os.fsencode(data)), f"mount {target}")


def _write(path: str, words: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(words)


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
