"""What a job cannot reach: the server's files and processes, and those of another organisation."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridhall.engines.local import confine
from gridhall.engines.local.confine import Hide
from gridhall.engines.local.shim import shield
from gridhall.engines.protocol import EngineFault, NodeSeen
from tests.engines.local.lab import PYTHON, lab, open_folder, order

ROOT = os.geteuid() == 0
NOBODY = 65_534
TESTS = Path(__file__).parents[2]
SOURCE = TESTS.parent / "src" / "gridhall"
ATTACK = """
import json, os, signal, subprocess, sys
secret, server, work = sys.argv[1], int(sys.argv[2]), os.environ["HOME"]
os.symlink(secret, work + "/link")
def tried(what, *words):
    try: return repr(what(*words))
    except Exception as error: return type(error).__name__
def read(path): return open(path).read()
def linked(): os.link(secret, work + "/hard"); return read(work + "/hard")
def moved(): os.rename(os.path.dirname(secret), work + "/moved"); return read(work + "/moved/secret")
shim = os.getppid()
found = {
    "plain": tried(read, secret),
    "link": tried(read, work + "/link"),
    "hard link": tried(linked),
    "moved": tried(moved),
    "listed": tried(lambda: "secret" in os.listdir(os.path.dirname(secret))),
    "written": tried(lambda: open(secret, "w").write("x")),
    "shell": subprocess.run(["cat", secret], capture_output=True, text=True).stdout,
    "unmounted": subprocess.run(["umount", os.path.dirname(secret)], capture_output=True).returncode == 0,
}
for name, pid in (("server", server), ("shim", shim)):
    found[name + " root"] = tried(read, f"/proc/{pid}/root{secret}")
    found[name + " cwd"] = tried(os.listdir, f"/proc/{pid}/cwd")
    for fd in range(20):
        found[f"{name} fd {fd}"] = tried(os.readlink, f"/proc/{pid}/fd/{fd}")
        found[f"{name} open fd {fd}"] = tried(lambda: os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY))
    found[name + " environ"] = tried(read, f"/proc/{pid}/environ")
    found[name + " memory"] = tried(lambda: open(f"/proc/{pid}/mem", "rb"))
if sys.argv[3] == "signals":
    found["server signal"] = tried(os.kill, server, 0)
    found["shim signal"] = tried(os.kill, shim, 0)
own = [tried(lambda: open(os.path.join(folder, "own"), "w").write("x")) for folder in
       (work, os.environ["GRIDHALL_CHECKPOINT_DIR"])]
print(json.dumps({"found": found, "own": own, "etc": tried(read, "/etc/passwd")[:5]}))
"""
STORY = """
import asyncio, os, sys
from pathlib import Path
from gridhall.engines.local.confine import Hide
from gridhall.engines.protocol import EngineFault
from tests.engines.local.lab import PYTHON, lab, order
root, attack = Path(sys.argv[1]), sys.argv[2]
hide = Hide(sys.argv[3]) if sys.argv[3:] else None
(root / "server").mkdir(mode=0o755)
(root / "server" / "secret").write_text("the key")
signals = "signals" if hide is Hide.LANDLOCK else ""
async def story():
    async with lab(root / "server" / "local", private=[root / "server"], hide=hide) as here:
        plain = order(attack)
        words = (*plain.command, str(root / "server" / "secret"), str(os.getpid()), signals)
        await here.end_of(order(command=words))
        print(await here.log(plain), end="")
        eat = "eaten = bytearray({mib} << 20); print('fed')"
        ended = [await here.end_of(order(eat.format(mib=mib), job=mib, mem_mib=256)) for mib in (64, 512)]
        print(*(end.exit_code for end in ended))
        try:
            await here.engine.start(order(job=2, organisation="another"))
        except EngineFault as error:
            print(error)
        try:
            await here.engine.start(order(job=3, directory=str(root)))
        except EngineFault as error:
            print(error)
asyncio.run(story())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = open_folder()
    yield made
    shutil.rmtree(made)


def tell(folder: Path, *words: str) -> list[str]:
    """Run the story as an ordinary user, on a copy of the engine that this user can read; the lines it says."""
    code = copied(folder / "code")
    if ROOT:
        os.chown(folder, NOBODY, NOBODY)
    user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}
    command = [PYTHON if ROOT else sys.executable, "-B", "-c", STORY, str(folder), ATTACK, *words]
    told = subprocess.run(command, cwd="/", env={"PYTHONPATH": str(code)}, capture_output=True, text=True, **user)
    assert told.returncode == 0, told.stderr
    return told.stdout.splitlines()


def copied(code: Path) -> Path:
    """The engine's files and the lab in a folder of their own."""
    names = ("__init__.py", "engines/__init__.py", "engines/protocol.py", "engines/local")
    for source, name in [*((SOURCE, name) for name in names), (TESTS, "engines/local/lab.py")]:
        target = code / source.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (source / name).is_dir() else shutil.copy)(source / name, target)
    return code


def harmless(line: str) -> None:
    """Nothing of the attack came through, and what the job may do it could."""
    said = json.loads(line)
    errors = ("PermissionError", "FileNotFoundError", "OSError", "False", "", False)
    assert {name: what for name, what in said["found"].items() if what not in errors} == {}
    assert said["own"] == ["1", "1"]
    assert said["etc"].startswith("'root")


@pytest.mark.skipif(not shield.landlock_abi(), reason="this kernel has no Landlock")
def test_landlock_keeps_an_ordinary_users_job_from_the_server(folder: Path):
    attack, memory, other, directory = tell(folder, "landlock")
    harmless(attack)
    assert memory == "0 1"
    assert "as root" in other
    assert "another" in other
    assert "server's own files" in directory


def test_namespace_keeps_an_ordinary_users_job_from_the_server(folder: Path):
    if not confine.can(Hide.NAMESPACE):
        pytest.skip("user namespaces are not allowed here")
    attack, memory, other = tell(folder, "namespace")
    harmless(attack)
    assert memory == "0 1"
    assert "as root" in other


@pytest.mark.skipif(not ROOT, reason="only root has uids to give")
@pytest.mark.parametrize("hide", [Hide.MOUNTS, Hide.MODES])
def test_as_root_each_organisation_has_its_own_uid_and_sees_nothing_of_others(folder: Path, hide: Hide):
    (folder / "server").mkdir(mode=0o700)
    secret = folder / "server" / "secret"
    secret.write_text("the key")
    secret.chmod(0o644)

    async def story():
        async with lab(folder / "local", private=[folder / "server"], hide=hide) as here:
            plain = order(ATTACK)
            first = order(command=(*plain.command, str(secret), str(os.getpid()), "signals"))
            await here.end_of(first)
            harmless(await here.log(first))
            theirs = folder / "local" / "jobs" / "1" / "work" / "own"
            second = order(command=(*plain.command, str(theirs), str(os.getpid()), ""), job=2, organisation="another")
            await here.end_of(second)
            harmless(await here.log(second))
            assert [theirs.stat().st_uid, (theirs.parents[2] / "2" / "work").stat().st_uid] == [200_000, 200_001]
        async with lab(folder / "local", hide=hide) as here:
            who = order("import os; print(os.getresuid(), os.getresgid())", job=3, organisation="another")
            await here.end_of(who)
            assert (await here.log(who)).strip() == "(200001, 200001, 200001) (200001, 200001, 200001)"

    asyncio.run(story())


@pytest.mark.skipif(not ROOT, reason="only root has uids to give")
def test_as_root_without_mounts_open_folders_are_refused(folder: Path):
    (folder / "server").mkdir(mode=0o755)
    (folder / "closed").mkdir(mode=0o700)

    async def story():
        async with lab(folder / "local", private=[folder / "server"], hide=Hide.MODES) as here:
            seen = await here.next(NodeSeen)
            assert not seen.up
            assert "chmod 700" in seen.reason
            with pytest.raises(EngineFault, match="chmod 700"):
                await here.engine.start(order())
        async with lab(folder / "closed" / "local", hide=Hide.MODES) as here:
            with pytest.raises(EngineFault, match=r"chmod o\+x"):
                await here.engine.start(order())

    asyncio.run(story())


def test_where_nothing_hides_the_server_no_job_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    monkeypatch.setattr(shield, "landlock_abi", lambda: 0)
    monkeypatch.setattr(confine, "can", lambda hide: False)

    async def story():
        async with lab(tmp_path) as here:
            seen = await here.next(NodeSeen)
            assert not seen.up
            assert "could read the server's files" in seen.reason
            with pytest.raises(EngineFault, match="Landlock"):
                await here.engine.start(order())

    asyncio.run(story())


def test_uids_are_stable_and_given_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [confine.uid_of(tmp_path, name) for name in ("a", "b", "a", "../c")] == [200_000, 200_001, 200_000, 200_002]
    monkeypatch.setattr(confine, "UIDS", 3)
    with pytest.raises(EngineFault, match="taken"):
        confine.uid_of(tmp_path, "d")
    assert confine.uid_of(tmp_path, "b") == 200_001
