"""The task behind the form and the command line: a batch's number in, counts out."""

from pathlib import Path

import pytest
from sqlmodel import select

from tasks.delivery.task import deliver_pack
from tasks.failures import RollcallError
from tasks.vault.batches import load_batch
from tasks.vault.records import Headshot
from tasks.vault.store import Vault


@pytest.fixture(autouse=True)
def _this_home(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_HOME", str(vault.settings.home))


def test_the_newest_approved_batch_is_delivered(vault: Vault, tmp_path: Path) -> None:
    done = deliver_pack.fn("", str(tmp_path / "out"), "", ["bamboohr"], at_shell=True)
    assert (done["batch"], done["people"], done["files"], done["skipped"]) == ("b1", 3, 3, 3)
    assert load_batch(vault, "b1").facts["delivered"]["to"] == "folder"
    assert sorted(path.name for path in (tmp_path / "out" / "bamboohr").iterdir()) == [
        "007.jpg",
        "1002.jpg",
        "1003.jpg",
    ]


def test_without_an_approval_there_is_nothing_to_deliver(vault: Vault, tmp_path: Path) -> None:
    with vault.session() as session:
        for shot in session.exec(select(Headshot)):
            shot.state = "candidate"
            session.add(shot)
    with pytest.raises(RollcallError, match="approved"):
        deliver_pack.fn("", str(tmp_path / "out"), "", [], at_shell=True)
