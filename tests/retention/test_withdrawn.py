"""A withdrawal's photos leave every upload at once; what the vault has waits as long as the rules say."""

from pathlib import Path
from types import ModuleType

import pytest

from tasks.retention.holds import end_holds, hold_person
from tasks.retention.rules import load_rules
from tasks.retention.withdrawn import leave_uploads
from tasks.roster.open_drop import upload_in
from tasks.roster.upload import Upload
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

RULES = load_rules()


@pytest.fixture
def vault(tmp_path: Path) -> object:
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        yield vault


def _upload(vault: Vault, numbers: list[str], name: str = "20261128-a") -> Upload:
    folder = vault.settings.home / "drops" / name
    for number in numbers:
        (folder / "selfies" / number).mkdir(parents=True)
        (folder / "selfies" / number / "a.jpg").write_bytes(b"photo")
    (folder / "roster.csv").write_text("Employee ID,Name\n" + "".join(f"{one},Name {one}\n" for one in numbers))
    upload = upload_in(folder, vault)
    upload.seal_clear()
    return upload


def _photos(upload: Upload) -> list[str]:
    return [path for path in upload.files() if path.endswith(".jpg")]


@pytest.fixture
def upload(vault: Vault, kit: ModuleType) -> Upload:
    for who in ("p1", "p2"):
        kit.enrol(vault, who)
    return _upload(vault, [kit.canary("p1").number, kit.canary("p2").number])


def test_their_photos_leave_every_upload_and_nobody_elses_do(vault: Vault, upload: Upload, kit: ModuleType) -> None:
    other = _upload(vault, [kit.canary("p1").number], "20261128-b")
    assert leave_uploads(vault, RULES, kit.NOW) == 0
    kit.withdraw(vault, "p1")
    assert leave_uploads(vault, RULES, kit.NOW) == 2
    assert _photos(upload) == [f"selfies/{kit.canary('p2').number}/a.jpg"]
    assert _photos(other) == []
    assert leave_uploads(vault, RULES, kit.NOW) == 0, "twice changes nothing"


def test_a_hold_keeps_them(vault: Vault, upload: Upload, kit: ModuleType) -> None:
    kit.withdraw(vault, "p1")
    hold_person(vault, "p1", "court", None, "Hannah", kit.NOW)
    assert leave_uploads(vault, RULES, kit.NOW) == 0
    assert len(_photos(upload)) == 2
    end_holds(vault, "p1", kit.NOW)
    assert leave_uploads(vault, RULES, kit.NOW) == 1


def test_so_many_at_once_wait_for_the_sweep_that_asks(vault: Vault, kit: ModuleType) -> None:
    """A register read wrongly withdraws a whole company's consents."""
    many = [f"p{number}" for number in range(RULES.limits.people_at_least + 1)]
    for who in many:
        kit.enrol(vault, who)
        kit.withdraw(vault, who)
    upload = _upload(vault, [kit.canary(who).number for who in many])
    assert leave_uploads(vault, RULES, kit.NOW) == 0
    assert len(_photos(upload)) == len(many)
