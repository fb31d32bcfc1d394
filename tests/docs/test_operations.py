"""The operator's pages and the units say what is there."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gridhall.server.metrics import Metrics
from tests.server.live.house import hand_engine, running, settings, small_fleet, store_in

ROOT = Path(__file__).parents[2]
UNIT, LOCAL = ROOT / "packaging" / "gridhall.service", ROOT / "packaging" / "gridhall-local.conf"


def test_the_metrics_page_names_every_metric_and_no_other(tmp_path: Path) -> None:
    async def text() -> str:
        fleet = small_fleet()
        async with running(settings(store_in(tmp_path), fleet, hand_engine(fleet))) as service:
            return Metrics(service).text().decode()

    served = set(re.findall(r"^# TYPE (gridhall_\w+)", asyncio.run(text()), re.M)) - {"gridhall_commit_seconds_created"}
    page = (ROOT / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| (`gridhall_.*?) \|", page, re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == served


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)")
@pytest.mark.parametrize("local", [False, True])
def test_the_unit_is_one_and_lets_the_server_do_little(tmp_path: Path, local: bool) -> None:
    unit = tmp_path / "gridhall.service"
    text = UNIT.read_text() + (LOCAL.read_text() if local else "")
    unit.write_text(text.replace("/opt/gridhall/bin/gridhall", shutil.which("true") or "/bin/true"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    most = "75" if local else "20"
    words = ["systemd-analyze", "security", "--offline=yes", f"--threshold={most}", unit]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
