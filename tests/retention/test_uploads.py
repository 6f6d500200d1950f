"""What HR uploaded: a forgotten person's photos and lines leave it, in whatever table, and nobody else's do."""

import csv
import io
import json
from pathlib import Path
from types import ModuleType

import pytest

from tasks.retention.erase import forget
from tasks.retention.left import read_list
from tasks.retention.search import search_files
from tasks.retention.spelled import spellings
from tasks.roster.open_drop import upload_in
from tasks.roster.read import read_roster
from tasks.roster.upload import Upload
from tasks.selfies.picks import Answers, read_answers, read_left_out
from tasks.vault.records import Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

ROSTER = (
    "Employee ID,Name,Email,Manager\n"
    "7,Zyxquark Vellichor,zyx@canary.example,\n"
    "8,Bystander Plain,by@canary.example,Zyxquark Vellichor\n"
    "77,Other Seven,other@canary.example,\n"
)
CONSENTS = "Employee ID,Given at\n7,2026-10-01\n8,2026-10-01\n77,2026-10-01\n"


@pytest.fixture
def vault(tmp_path: Path, kit: ModuleType) -> object:
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        with vault.session() as session:
            for identity, number, name, email in (
                ("p1", "7", "Zyxquark Vellichor", "zyx@canary.example"),
                ("p2", "8", "Bystander Plain", "by@canary.example"),
            ):
                session.add(Employee(id=identity, number=number, name=name, email=email, updated_at=kit.NOW))
                session.add(Consent(id=f"c{identity}", employee_id=identity, given_at=kit.NOW))
        yield vault


def _drop(vault: Vault, name: str, roster: bytes, suffix: str = "csv") -> Upload:
    folder = vault.settings.home / "drops" / name
    for path in ("7/a.jpg", "8/a.jpg", "77/a.jpg", "Zyxquark Vellichor (2)/b.jpg"):
        (folder / "selfies" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "selfies" / path).write_bytes(path.encode() + b"\xff\xd8 GPS 1.2.3")
    (folder / f"roster.{suffix}").write_bytes(roster)
    (folder / "consents.csv").write_text(CONSENTS)
    (folder / ".answers.json").write_text(json.dumps({"picks": {"x/": "7", "y/": "8"}, "two_people": [["7", "8"]]}))
    (folder / ".left-out.json").write_text(json.dumps(["notes of Zyxquark Vellichor.pdf: no photo", "x.exe: no photo"]))
    half = folder / ".arriving" / "0123456789abcdef0123456789abcdef"
    half.mkdir(parents=True)
    (half / "000000000000000").write_bytes(b"half a photo, of nobody knows whom")
    return upload_in(folder, vault)


def _workbook() -> bytes:
    import openpyxl

    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in csv.reader(io.StringIO(ROSTER)):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", ROSTER.encode()),
        ("csv", ROSTER.replace(",", ";").encode("utf-16")),
        ("csv", ROSTER.replace(",", "\t").encode("cp1252")),
        ("xlsx", _workbook()),
    ],
    ids=["UTF-8", "UTF-16", "tabs", "a workbook"],
)
def test_their_photos_and_lines_leave_every_drop_and_nobody_elses(
    vault: Vault, kit: ModuleType, suffix: str, content: bytes
) -> None:
    """The first lies sealed, the second as an older version left it."""
    found = [_drop(vault, name, content, suffix) for name in ("20261101-a", "20261102-b")]
    assert found[0].seal_clear() == 8
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.state == "provisional", receipt.residue
    for upload in found:
        assert [path for path in upload.files() if path.endswith(".jpg")] == ["selfies/77/a.jpg", "selfies/8/a.jpg"]
        assert {path.name for path in (upload.folder / "selfies").glob("*")} <= {"77", "8"}, "a folder bears a name too"
        read = read_roster(upload.read("roster.csv"), "roster.csv")
        assert [(row.number, row.name, row.email) for row in read.rows] == [
            ("8", "Bystander Plain", "by@canary.example"), ("77", "Other Seven", "other@canary.example"),
        ]  # fmt: skip
        consents = upload.read("consents.csv").decode("utf-8-sig").splitlines()
        assert [line.split(",")[0] for line in consents] == ["Employee ID", "8", "77"]
        assert read_answers(upload) == Answers({"y/": "8"})
        assert read_left_out(upload) == ("x.exe: no photo",)
        assert list((upload.folder / ".arriving").iterdir()) == []
    wanted = spellings(["Zyxquark Vellichor", "zyx@canary.example"])
    assert list(search_files([vault.settings.home], wanted)) == []


def test_what_hr_keeps_elsewhere_is_not_touched_and_the_receipt_says_so(
    vault: Vault, kit: ModuleType, tmp_path: Path
) -> None:
    theirs = tmp_path / "hr" / "roster.csv"
    theirs.parent.mkdir()
    theirs.write_text(ROSTER)
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert theirs.read_text() == ROSTER
    assert any("folders of HR's own" in line for line in receipt.outside)


def test_a_trace_in_an_upload_that_nothing_explains_is_listed(vault: Vault, kit: ModuleType) -> None:
    """A photo of nobody's with the name inside: read in clear, and read where it lies sealed."""
    for name, sealed in (("20261101-a", False), ("20261101-b", True)):
        upload = _drop(vault, name, ROSTER.encode())
        (upload.folder / "selfies" / "stray.jpg").write_bytes(b"\xff\xd8\0\0 Artist Zyxquark Vellichor\0")
        if sealed:
            upload.seal_clear()
    receipt = forget(vault, "p1", "requested", kit.NOW)
    assert receipt.residue == ("trace: 2",)
    where = read_list(vault.settings.home, receipt.id)
    assert [place for place in where if "20261101-b/selfies/stray.jpg" in place], where
