"""No request writes a report: it shows what is there, or that it is being written, once however many ask."""

import threading
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from reports.desk.app import create_desk
from reports.desk.writing import Writing
from reports.site_of_batch import report_folder
from tasks.vault.settings import Settings

BATCH = "b20261123a"


class Slow:
    """A writing that ends when it is told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, batch: str) -> None:
        self.begun.append(batch)
        assert self.may_end.wait(20)


def test_a_quick_one_is_waited_for_and_a_slow_one_is_not() -> None:
    slow = Slow()
    writing = Writing(slow)
    assert not writing.written("b1", patience_s=0.05)
    assert not writing.written("b1", patience_s=0.05)
    assert slow.begun == ["b1"], "once, however many ask"
    slow.may_end.set()
    assert writing.written("b1", patience_s=10)


def test_one_that_fails_says_so_to_whoever_asked_and_is_tried_again() -> None:
    tries: list[str] = []

    def write(batch: str) -> None:
        tries.append(batch)
        raise OSError("disk")

    writing = Writing(write)
    for _ in range(2):
        with pytest.raises(OSError, match="disk"):
            writing.written("b1", patience_s=10)
    assert len(tries) == 2


@pytest.fixture
def desk(settings: Settings) -> Iterator[TestClient]:
    alone = settings.model_copy(update={"desk_password": None})
    with TestClient(create_desk(alone), base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5)) as client:
        client.post("/login", data={"name": "Rita"})
        yield client


def test_a_report_that_is_not_there_is_being_written_meanwhile(
    desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr("reports.desk.writing.PATIENCE_S", 0.05)
    desk.app.state.writing._write = slow  # type: ignore[attr-defined]
    for path in sorted(report_folder(settings, BATCH).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    began = time.monotonic()
    answer = desk.get(f"/batches/{BATCH}/")
    assert time.monotonic() - began < 5
    assert (answer.status_code, answer.headers["refresh"]) == (202, "5")
    assert "being written" in answer.text
    slow.may_end.set()


def test_report_pages_are_compressed_and_pages_that_repeat_what_was_typed_are_not(desk: TestClient) -> None:
    wall = desk.get(f"/batches/{BATCH}/", headers={"Accept-Encoding": "gzip"})
    assert wall.headers["content-encoding"] == "gzip"
    assert wall.num_bytes_downloaded < len(wall.content) / 3
    for path in ("/", f"/batches/{BATCH}/?q=typed", "/drops"):
        assert "content-encoding" not in desk.get(path, headers={"Accept-Encoding": "gzip"}).headers, path
