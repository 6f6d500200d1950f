"""Forgetting one person: nothing of them is left, nobody else is touched, and the receipt says no more than is true."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from tasks.retention import choose_people
from tasks.retention.case import Surroundings
from tasks.retention.erase import NobodyHere, carry_out, forget, forget_people, look_again, open_cases, search_again
from tasks.retention.left import read_list
from tasks.retention.mentions import Mentioned
from tasks.retention.rules import load_rules
from tasks.retention.traces import look_for
from tasks.vault.failpoints import listening
from tasks.vault.failures import Fenced, Forgotten
from tasks.vault.records import Artifact, AuditEntry, Batch, Consent, Employee, Erasure, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vault.tombstones import is_tombstone

AROUND = Surroundings(load_rules())


def test_nothing_is_left_and_nobody_else_is_touched(any_settings: Settings, kit: ModuleType, tmp_path: Path) -> None:
    with open_vault(any_settings) as vault:
        people = [kit.enrol(vault, one) for one in ("p1", "p10", "p2")]
        for who in people:
            kit.photograph(vault, who)
        before = [kit.fingerprint(vault, who) for who in people[1:]]
        assert kit.hits([tmp_path], people[0]), "the search must see what it is to find gone"
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
        assert kit.hits([tmp_path], people[0]) == []
        assert vault.blobs.remains("people/p1/") == []
        assert [kit.fingerprint(vault, who) for who in people[1:]] == before
        assert receipt.state == "provisional"
        assert receipt.removed == {"selfies": 1, "adapter": 1, "headshots": 1, "thumbnails": 1}
        assert receipt.level == ("bytes" if any_settings.encrypt else "listed")
        with vault.reading() as session:
            assert session.get_one(Employee, "p1").state == "erased"
            assert session.get_one(Seat, ("b1", "p1")).reason == "erased", "who came in is still accounted for"


def test_the_last_look_makes_it_final(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    forget(vault, "p1", "requested", kit.NOW, AROUND)
    assert open_cases(vault, kit.NOW + timedelta(hours=5)) == ([], [])
    undone, due = open_cases(vault, kit.NOW + timedelta(hours=6))
    assert (undone, len(due)) == ([], 1)
    receipt = look_again(vault, due, kit.NOW + timedelta(hours=6), AROUND)[0]
    assert receipt.state == "final"
    assert receipt.removed["selfies"] == 1, "the last look does not forget what the first one removed"
    assert open_cases(vault, kit.NOW + timedelta(days=9)) == ([], [])


def test_a_writer_that_slept_through_it_all_leaves_nothing(
    vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    """A frozen upload that lands after the erasure is removed by the last look."""
    forget(vault, "p1", "requested", kit.NOW, AROUND)
    vault.blobs.put("people/p1/selfies/late.jpg", [company["p1"].pixels])
    kit.report(vault.settings, company["p1"])
    later = kit.NOW + timedelta(hours=7)
    assert look_again(vault, open_cases(vault, later)[1], later, AROUND)[0].state == "final"
    assert kit.hits([vault.settings.home], company["p1"]) == []


def test_nobody_gets_in_afterwards(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    permit = vault.permit("p1", now=kit.NOW)
    forget(vault, "p1", "requested", kit.NOW, AROUND)
    with pytest.raises(Fenced):
        vault.write(permit, "selfies", "2.jpg", b"x")
    with pytest.raises(Fenced):
        vault.permit("p1", now=kit.NOW)
    with pytest.raises(NobodyHere):
        forget(vault, "p1", "requested", kit.NOW, AROUND)
    with pytest.raises(NobodyHere):
        forget(vault, "p404", "requested", kit.NOW, AROUND)


def test_the_same_number_can_come_back_as_somebody_new(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    forget(vault, "p1", "requested", kit.NOW, AROUND)
    with vault.session() as session:
        session.add(Employee(id="p1new", number=company["p1"].number, updated_at=kit.NOW))
    with vault.reading() as session:
        number = session.get_one(Employee, "p1").number
    assert is_tombstone(number, "p1")
    assert company["p1"].number not in number


def test_consent_from_before_does_not_bring_them_back(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    forget(vault, "p1", "requested", kit.NOW, AROUND)

    def come_back(employee_id: str, given_at: datetime) -> None:
        with vault.session() as session:
            session.merge(Employee(id=employee_id, number=company["p1"].number, updated_at=kit.NOW))
            session.merge(Consent(id=f"c{given_at}", employee_id=employee_id, given_at=given_at))

    later = kit.NOW + timedelta(days=3)
    come_back("p7", kit.NOW - timedelta(days=100))
    with pytest.raises(Forgotten) as refused:
        vault.permit("p7", now=later)
    assert (refused.value.code, refused.value.at) == ("forgotten", kit.NOW)
    come_back("p7", kit.NOW)
    with pytest.raises(Forgotten):
        vault.permit("p7", now=later)
    come_back("p7", kit.NOW + timedelta(days=1))
    assert vault.permit("p7", now=later).employee_id == "p7"
    # Forgotten once more, the newer day counts, and only one pseudonym is kept.
    forget(vault, "p7", "requested", later, AROUND)
    come_back("p8", kit.NOW + timedelta(days=1))
    with pytest.raises(Forgotten):
        vault.permit("p8", now=later)
    with vault.reading() as session:
        numbers = [session.get_one(Employee, one).number for one in ("p1", "p7")]
    assert numbers[0] == "gone-p1"
    assert len(numbers[1]) == len("gone-") + 32


def test_a_number_that_looks_like_a_tombstone_is_emptied_too(vault: Vault, kit: ModuleType) -> None:
    with vault.session() as session:
        session.add(Employee(id="p1", number="gone-fishing", name="Zanzi Okapi", updated_at=kit.NOW))
    forget(vault, "p1", "requested", kit.NOW, AROUND)
    with vault.reading() as session:
        assert "fishing" not in session.get_one(Employee, "p1").number


def test_pages_lose_the_person_and_keep_the_others(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    forget(vault, "p1", "requested", kit.NOW, AROUND)
    folder = vault.settings.reports / "b1"
    assert sorted(path.name for path in (folder / "people").iterdir()) == ["p10", "p10.html", "p2", "p2.html"]
    wall = (folder / "index.html").read_text()
    assert "p1Quagga" not in wall
    assert wall.count('class="card"') == 2
    assert company["p10"].name in wall
    assert "The team" in wall
    assert [row["id"] for row in json.loads((folder / "rows.json").read_text())] == ["p10", "p2"]


def test_reports_are_written_again_by_whoever_can(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    written: list[str] = []
    forget(vault, "p1", "requested", kit.NOW, Surroundings(load_rules(), rewrite_report=written.append))
    assert written == ["b1"]

    def fails(batch: str) -> None:
        raise RuntimeError("no template")

    receipt = forget(vault, "p2", "requested", kit.NOW, Surroundings(load_rules(), rewrite_report=fails))
    assert receipt.state == "provisional"
    with vault.reading() as session:
        noted = session.exec(select(AuditEntry).where(col(AuditEntry.action) == "report_not_rewritten")).one()
        assert noted.result == {"error": "RuntimeError"}


def test_a_trace_elsewhere_makes_it_blocked(
    vault: Vault, company: dict[str, Any], kit: ModuleType, tmp_path: Path
) -> None:
    """A name in Prefect's database is somebody's bug; the receipt does not paper over it."""
    prefect = tmp_path / "prefect"
    prefect.mkdir()
    (prefect / "prefect.db").write_text(f"parameters: {company['p1'].name}")
    receipt = forget(vault, "p1", "requested", kit.NOW, Surroundings(load_rules(), search=(prefect,)))
    assert receipt.state == "blocked"
    assert receipt.residue == ("trace: 1",)
    assert receipt.level == "none"
    # The name is known to nobody here any more, so the next sweep cannot take the finding back; who knows it can.
    again = carry_out(vault, [receipt.id], kit.NOW, AROUND)[0]
    assert (again.state, again.residue) == ("blocked", ("trace: 1",))
    around = Surroundings(load_rules(), search=(prefect,))
    words = [("name", company["p1"].name), ("e-mail", company["p1"].email)]
    assert search_again(vault, receipt.id, words, kit.NOW, around).state == "blocked"
    (prefect / "prefect.db").write_text("parameters: p1")
    cleared = search_again(vault, receipt.id, words, kit.NOW, around)
    assert (cleared.state, cleared.search["places"], cleared.search["for"]) == ("provisional", 0, ["name", "e-mail"])
    assert kit.hits([vault.settings.home], company["p1"]) == [], "what was asked with is not stored"


def test_a_department_is_searched_for_in_one_reading(tmp_path: Path, kit: ModuleType) -> None:
    """Each is found where they are and not where somebody else is; encrypted pictures are counted, not read."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told: list[tuple[int, int]] = []
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        people = [kit.enrol(vault, f"p{number}") for number in range(3)]
        for who in people:
            kit.photograph(vault, who)
        (elsewhere / "notes.txt").write_text(f"ask {people[1].email}")
        around = Surroundings(load_rules(), search=(elsewhere,), progress=lambda done, of: told.append((done, of)))
        wishes = [(who.id, "requested", kit.NOW) for who in people[:2]]
        found = {one.person: one for one in forget_people(vault, wishes, kit.NOW, around)}
        assert (found["p0"].state, found["p0"].level, found["p0"].search["places"]) == ("provisional", "bytes", 0)
        assert (found["p1"].state, found["p1"].residue) == ("blocked", ("trace: 1",))
        assert found["p0"].search["sealed"] == 4, "the third person's"
        assert found["p0"].search["for"] == ["e-mail", "name", "number", "earlier name", "wrapped keys"]
    assert told == [], "what takes a moment needs no progress"


def test_above_the_limit_nothing_is_read_and_the_receipt_says_so(tmp_path: Path, kit: ModuleType) -> None:
    with open_vault(Settings(home=tmp_path / "home", search_limit=1000)) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
    assert receipt.level == "cryptographic"
    assert receipt.search["limit"] == 1000
    assert "places" not in receipt.search


def test_a_long_search_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.retention.traces._PATIENCE", -1.0)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 100)
    told: list[tuple[int, int]] = []
    who = Mentioned("p1", ("Zanzi Okapi",), ("name",))
    search = look_for([who], tmp_path, (), 1 << 20, lambda done, of: told.append((done, of)))
    assert told[-1] == (200, 200)
    assert search.evidence(who) == {"files": 3, "bytes": 200, "sealed": 0, "places": 0, "for": ["name"]}


def test_a_reader_that_holds_the_log_delays_the_final_word(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as vault:
        who = kit.enrol(vault, "p1")
        kit.photograph(vault, who)
        ready, stop = threading.Event(), threading.Event()

        def read() -> None:
            with open_vault(settings) as other, other.reading() as session:
                session.exec(select(Employee)).all()
                ready.set()
                stop.wait(30)

        reader = threading.Thread(target=read)
        reader.start()
        ready.wait(30)
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
        stop.set()
        reader.join()
        assert receipt.held_by_log
        assert receipt.state == "provisional"
        assert receipt.level != "bytes"
        later = kit.NOW + timedelta(hours=7)
        assert look_again(vault, open_cases(vault, later)[1], later, AROUND)[0].state == "final"
        assert kit.hits([settings.home], who) == []


def test_many_at_once(vault: Vault, kit: ModuleType) -> None:
    people = [kit.enrol(vault, f"p{number}") for number in range(7)]
    for who in people:
        kit.photograph(vault, who)
    wishes = [(who.id, "withdrawn", kit.NOW) for who in people[:6]]
    receipts = forget_people(vault, wishes, kit.NOW, AROUND)
    assert sorted(receipt.person for receipt in receipts) == [who.id for who in people[:6]]
    assert kit.hits([vault.settings.home], *people[:6]) == []
    assert kit.fingerprint(vault, people[6])
    assert forget_people(vault, wishes, kit.NOW, AROUND) == []


def test_each_wish_keeps_its_own_reason_and_date(vault: Vault, kit: ModuleType) -> None:
    for one in ("p1", "p2", "p3"):
        kit.enrol(vault, one)
    wishes = [(f"p{n}", reason, kit.NOW - timedelta(days=n)) for n, reason in ((1, "left"), (2, "withdrawn"))]
    receipts = forget_people(vault, wishes, kit.NOW, AROUND)
    assert sorted((one.person, one.reason, one.due_at) for one in receipts) == sorted(wishes)


def test_a_death_after_the_keys_went_does_not_lower_the_proof(tmp_path: Path, kit: ModuleType) -> None:
    """The receipt still says that keys were destroyed: they were counted with the fence."""
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))

        def die(place: str) -> None:
            if place == "erase.rows.before":
                raise OSError("failpoint")

        with pytest.raises(OSError, match="failpoint"), listening(die):
            forget(vault, "p1", "requested", kit.NOW, AROUND)
        receipt = carry_out(vault, open_cases(vault, kit.NOW)[0], kit.NOW, AROUND)[0]
        assert receipt.keys_destroyed == 4


def test_what_a_batch_noted_is_cleared_though_the_first_try_died(vault: Vault, kit: ModuleType) -> None:
    """Notes are found by name, so they are cleared before the name is emptied."""
    who = kit.enrol(vault, "p1")
    kit.photograph(vault, who)
    with vault.session() as session:
        session.get_one(Batch, "b1").problems = [{"code": "odd", "said": who.name}, {"code": "odd", "said": "else"}]

    def die(place: str) -> None:
        if place == "erase.rows.done":
            raise OSError("failpoint")

    with pytest.raises(OSError, match="failpoint"), listening(die):
        forget(vault, "p1", "requested", kit.NOW, AROUND)
    with vault.reading() as session:
        assert session.get_one(Batch, "b1").problems == [{"code": "odd", "said": "else"}]


def test_whom_a_wish_means(vault: Vault, kit: ModuleType) -> None:
    for number in range(4):
        kit.enrol(vault, f"p{number}", status="left" if number == 3 else "active")
    with vault.session() as session:
        session.get_one(Employee, "p0").department = "Brass"
    numbers = [kit.canary(f"p{number}").number for number in range(4)]
    assert choose_people.people_by_number(vault, numbers[2]) == ["p2"]
    assert choose_people.people_by_number(vault, "nobody") == []
    assert choose_people.people_of_department(vault, " choir ") == ["p1", "p2", "p3"]
    assert choose_people.leavers(vault, numbers[1:]) == ["p0", "p3"]
    assert choose_people.leavers(vault, []) == [], "an empty roster is a mistake, not a mass resignation"


def test_a_secret_commits_to_the_number(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    import hmac
    from hashlib import sha256

    receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
    expected = hmac.new(bytes.fromhex(receipt.secret), company["p1"].number.encode(), sha256).hexdigest()
    assert receipt.commitment == expected
    assert kit.hits([vault.settings.home], company["p1"]) == []
    assert not any(receipt.secret in path.read_text() for path in vault.settings.receipts.iterdir())


@pytest.mark.s3
def test_on_s3_no_version_marker_or_upload_is_left(
    new_bucket: Callable[..., str], s3_server: tuple[str, Path], tmp_path: Path, kit: ModuleType
) -> None:
    settings = Settings(home=tmp_path / "home", encrypt=False, blob_url=new_bucket())
    with open_vault(settings) as vault:
        people = [kit.enrol(vault, one) for one in ("p1", "p10")]
        for who in people:
            kit.photograph(vault, who)
        client, bucket = vault.blobs.client, vault.blobs.bucket  # type: ignore[attr-defined]
        vault.blobs.put("people/p1/selfies/1.jpg", [people[0].pixels + b"second version"])
        client.delete_object(Bucket=bucket, Key="vault/people/p1/selfies/1.jpg")
        upload = client.create_multipart_upload(Bucket=bucket, Key="vault/people/p1/adapter/big")["UploadId"]
        part = {"Bucket": bucket, "Key": "vault/people/p1/adapter/big", "UploadId": upload, "PartNumber": 1}
        client.upload_part(**part, Body=people[0].weights)
        before = kit.fingerprint(vault, people[1])
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
        assert receipt.state == "provisional"
        listing = client.list_object_versions(Bucket=bucket, Prefix="vault/people/p1/")
        assert "Versions" not in listing
        assert "DeleteMarkers" not in listing
        assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
        assert kit.fingerprint(vault, people[1]) == before
    assert kit.hits([tmp_path, s3_server[1]], people[0]) == []


@pytest.mark.s3
def test_a_locked_object_is_blocked_never_erased(
    new_bucket: Callable[..., str], tmp_path: Path, kit: ModuleType
) -> None:
    from datetime import UTC, datetime

    settings = Settings(home=tmp_path / "home", blob_url=new_bucket(lock=True))
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        client, bucket = vault.blobs.client, vault.blobs.bucket  # type: ignore[attr-defined]
        lock = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(hours=1)}
        key = "vault/people/p1/selfies/1.jpg"
        client.put_object_retention(Bucket=bucket, Key=key, Retention=lock)
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
        assert (receipt.state, receipt.residue, receipt.level) == ("blocked", ("object_lock: 1",), "none")
        page = (settings.receipts / f"{receipt.id}.html").read_text()
        assert "NOT erased" in page
        with vault.reading() as session:
            assert session.get_one(Employee, "p1").state == "erasing"
            assert session.get_one(Employee, "p1").name == "", "what can go goes"
        undone, _ = open_cases(vault, kit.NOW)
        assert carry_out(vault, undone, kit.NOW, AROUND)[0].state == "blocked"
        version = client.list_object_versions(Bucket=bucket, Prefix=key)["Versions"][0]["VersionId"]
        client.delete_object(Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)
        assert carry_out(vault, undone, kit.NOW, AROUND)[0].state == "provisional"
        with vault.reading() as session:
            assert session.exec(select(Erasure.state)).all() == ["provisional"]


@pytest.mark.postgres
def test_on_postgresql(postgres_url: str, tmp_path: Path, kit: ModuleType) -> None:
    settings = Settings(home=tmp_path / "home", database_url=postgres_url, keys_url=postgres_url)
    with open_vault(settings) as vault:
        people = [kit.enrol(vault, one) for one in ("p1", "p2")]
        for who in people:
            kit.photograph(vault, who)
        before = kit.fingerprint(vault, people[1])
        forget(vault, "p1", "requested", kit.NOW, AROUND)
        later = kit.NOW + timedelta(hours=7)
        receipt = look_again(vault, open_cases(vault, later)[1], later, AROUND)[0]
        assert receipt.state == "final"
        assert receipt.level == "bytes", "its rows were searched as SQLite's are"
        assert receipt.search["rows"] > 10
        page = (settings.receipts / f"{receipt.id}.html").read_text()
        assert "PostgreSQL&#x27;s own log, its archives and replicas" in page
        assert kit.fingerprint(vault, people[1]) == before
        assert kit.hits([settings.home], people[0]) == []
        with vault.engine.connect() as connection:
            for table in sa.inspect(connection).get_table_names():
                text = str(connection.exec_driver_sql(f'SELECT * FROM "{table}"').all())
                assert "p1Quagga" not in text


@pytest.mark.postgres
def test_a_row_of_postgresql_that_still_holds_them_blocks_and_is_listed(
    postgres_url: str, tmp_path: Path, kit: ModuleType
) -> None:
    """In text, in JSON and in bytes; a colleague whose words only look like theirs holds nothing up."""
    settings = Settings(home=tmp_path / "home", database_url=postgres_url, keys_url=postgres_url)
    with open_vault(settings) as vault:
        who = kit.enrol(vault, "p1")
        kit.photograph(vault, who)
        with vault.session() as session:
            session.add(Employee(id="p2", number=f"{who.number}0", name="Else", email=f"x{who.email}",
                                 updated_at=kit.NOW))  # fmt: skip
        with vault.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE elsewhere (id integer, said text, more jsonb, raw bytea)")
            row = sa.text("INSERT INTO elsewhere VALUES (:id, :said, CAST(:more AS jsonb), :raw)")
            for number, (said, more, raw) in enumerate(
                [(f"lunch with {who.name}", "{}", b""), ("", f'{{"to": ["{who.email}"]}}', b""),
                 ("", "{}", b"\0" + who.number.encode() + b"\0"), ("nobody", "{}", b"")]
            ):  # fmt: skip
                connection.execute(row, {"id": number, "said": said, "more": more, "raw": raw})
        receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
        assert receipt.residue == ("trace: 3",)
        listed = read_list(settings.home, receipt.id)
        for number, column in enumerate(("said", "more", "raw")):
            assert [line for line in listed if f", table elsewhere, column {column}, row id = {number}, " in line], (
                listed
            )
        with vault.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE elsewhere")
        known = [("name", who.name), ("e-mail", who.email), ("number", who.number)]
        again = search_again(vault, receipt.id, known, kit.NOW, AROUND)
        assert (again.state, again.level) == ("provisional", "bytes")


@pytest.mark.postgres
def test_an_old_transaction_on_postgresql_delays_the_final_word(
    postgres_url: str, tmp_path: Path, kit: ModuleType
) -> None:
    """VACUUM leaves what an older transaction may still read, and says nothing: we look before we claim."""
    settings = Settings(home=tmp_path / "home", database_url=postgres_url)
    with open_vault(settings) as vault, open_vault(settings) as other:
        kit.enrol(vault, "p1")
        with other.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
            reader.execute(sa.select(sa.func.count()).select_from(Employee)).scalar()
            receipt = forget(vault, "p1", "requested", kit.NOW, AROUND)
            assert receipt.held_by_log
            seen = reader.execute(sa.select(col(Employee.name))).scalar_one()
            assert seen == kit.canary("p1").name, "the dead row is there for whoever looked before"
        later = kit.NOW + timedelta(hours=7)
        assert look_again(vault, open_cases(vault, later)[1], later, AROUND)[0].state == "final"
        with vault.engine.connect() as connection:
            counted = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'employee'"
            dead = connection.exec_driver_sql(counted).scalar_one()
        assert dead == 0


def test_what_was_erased_is_made_to_last_before_its_rows_go(
    vault: Vault, company: dict[str, Any], kit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the bytes must not be back where no row speaks of them."""
    seen: list[tuple[bool, bool]] = []
    settle = vault.blobs.settle

    def watched() -> None:
        with vault.reading() as session:
            rows = session.exec(select(Artifact).where(Artifact.employee_id == "p1")).all()
        seen.append((bool(vault.blobs.remains("people/p1/")), bool(rows)))
        settle()

    monkeypatch.setattr(vault.blobs, "settle", watched)
    forget(vault, "p1", "requested", kit.NOW)
    assert (False, True) in seen
