"""A line of the log is one JSON object, and names the request that it belongs to."""

import json
import logging
from pathlib import Path

import pytest

from gridhall.server.live.loop import Loop
from gridhall.server.log_lines import JsonLines, log_to_stderr
from tests.server.api.house import House, in_house

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_line_has_what_the_record_has() -> None:
    record = logging.LogRecord("gridhall.test", logging.ERROR, "file", 1, "two\nlines of %s", ("text",), None)
    record.engine = "hand"
    line = json.loads(JsonLines().format(record))
    assert line.pop("time").endswith("Z")
    assert line == {"level": "error", "logger": "gridhall.test", "message": "two\nlines of text", "engine": "hand"}


def test_what_is_logged_while_a_request_is_answered_has_its_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House) -> None:
        def worry(self: Loop) -> int:
            logging.getLogger("gridhall.test").error("worried")
            return 0

        monkeypatch.setattr(Loop, "now_ms", worry)
        await house.admin.get("/v1/queues", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
        monkeypatch.undo()
        logging.getLogger("gridhall.test").error("outside")

    root = logging.getLogger()
    before = root.handlers[:], root.level
    log_to_stderr()
    try:
        in_house(tmp_path, story)
    finally:
        root.handlers[:], root.level = before
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert {line["message"]: line.get("trace_id") for line in lines} == {"worried": TRACE, "outside": None}
