"""Public data sets: fetched from an address or a folder; only the listed bytes are ever put in place."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gridhall.errors import InputError
from gridhall.work.catalogue import DataFile, DataSet, data_set, data_sets, fetch
from gridhall.work.readers import FORMATS
from tests.shared import SHARED_DATA, shared

CONTENT = b"job,gpus\n1,8\n" * 10_000


def entry(**changes: object) -> DataSet:
    file = {
        "path": "traces/jobs.csv",
        "bytes": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "address": "https://example.invalid/owner/repository/jobs.csv",
        **changes,
    }
    return DataSet(
        name="test",
        kind="trace",
        what="a test",
        licence="none",
        attribution="nobody",
        files=(DataFile.model_validate(file),),
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A loopback web server: its address and the folder that it serves."""
    folder = tmp_path / "site" / "owner" / "repository"
    folder.mkdir(parents=True)
    (folder / "jobs.csv").write_bytes(CONTENT)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_set_is_downloaded_and_checked(site: tuple[str, Path], tmp_path: Path) -> None:
    address, _ = site
    (path,) = fetch(entry(), tmp_path / "into", base_url=address)
    assert path == tmp_path / "into" / "jobs.csv"
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == ["jobs.csv"], "no temporary file stays"


def test_a_file_that_is_there_and_right_is_not_fetched_again(site: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = site
    fetch(entry(), tmp_path / "into", base_url=address)
    (folder / "jobs.csv").unlink()
    fetch(entry(), tmp_path / "into", base_url=address)


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (CONTENT[:-1] + b"!", "another checksum"),
        (CONTENT[:-5], f"has {len(CONTENT) - 5} bytes"),
        (CONTENT + b"more", "longer than"),
        (b"", "has 0 bytes"),
    ],
)
def test_other_bytes_never_take_the_place(site: tuple[str, Path], tmp_path: Path, served: bytes, words: str) -> None:
    address, folder = site
    (folder / "jobs.csv").write_bytes(served)
    into = tmp_path / "into"
    into.mkdir()
    (into / "jobs.csv").write_bytes(b"an older copy")
    with pytest.raises(InputError, match=words):
        fetch(entry(), into, base_url=address)
    assert (into / "jobs.csv").read_bytes() == b"an older copy"
    assert len(list(into.iterdir())) == 1


def test_a_missing_file_and_a_dead_server_say_what_to_do(site: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = site
    (folder / "jobs.csv").unlink()
    with pytest.raises(InputError, match="answered 404") as error:
        fetch(entry(), tmp_path / "into", base_url=address)
    assert "--from FOLDER" in error.value.faults[0].mend
    with pytest.raises(InputError, match="cannot be downloaded"):
        fetch(entry(), tmp_path / "into", base_url="http://127.0.0.1:9")


@pytest.mark.parametrize("place", ["traces/jobs.csv", "jobs.csv"])
def test_a_set_is_taken_from_a_folder(tmp_path: Path, place: str) -> None:
    source = tmp_path / "from" / place
    source.parent.mkdir(parents=True)
    source.write_bytes(CONTENT)
    (path,) = fetch(entry(address=None), tmp_path / "into", from_folder=tmp_path / "from")
    assert path.read_bytes() == CONTENT


def test_a_folder_without_the_file_and_a_set_without_an_address_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not in this folder"):
        fetch(entry(), tmp_path / "into", from_folder=tmp_path)
    with pytest.raises(InputError, match="has no public address"):
        fetch(entry(address=None), tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        data_set("m1000")
    assert "m100" in error.value.faults[0].mend


def test_the_catalogue_names_terms_and_readable_formats() -> None:
    sets = data_sets()
    assert len({one.name for one in sets}) == len(sets) == 12
    for one in sets:
        assert one.attribution
        assert one.licence
        assert one.read_as is None or one.read_as in FORMATS
        for file in one.files:
            assert len(file.sha256) == 64
            assert file.address is None or file.address.startswith("https://raw.githubusercontent.com/")


@pytest.mark.parametrize("name", [one.name for one in data_sets()])
def test_the_shared_folder_holds_what_the_catalogue_lists(tmp_path: Path, name: str) -> None:
    shared("README.md")
    for path in fetch(name, tmp_path, from_folder=SHARED_DATA):
        assert path.stat().st_size > 0
