"""Starting a run from a checked upload: kits as pictures, what it costs, who ordered it, and a second person's yes."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from reports.uploads.checks import Check
from tasks.adapters.costs import cost_of, hold_if_costly
from tasks.roster.read import read_roster
from tasks.selfies.check import check_drop
from tasks.vault.halts import approve_cost
from tasks.vault.records import Batch, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, PASSWORD
from tests.reports.prefect_stand_in import Prefect, signed_in_desk

DROP = "20260914-0123456789"
ROSTER = (
    "Employee Number,Name,Email,Headshot consent\n1,Ada Lovelace,ada@x.example,yes\n2,Otto Hahn,otto@x.example,yes\n"
)


@pytest.fixture
def kits(tmp_path: Path) -> Path:
    """The shipped kits, copied, so that one can be broken."""
    import shutil

    folder = tmp_path / "kits"
    shutil.copytree(Path(__file__).parents[3] / "brand_kits", folder)
    return folder


@pytest.fixture
def priced(settings: Settings, kits: Path) -> Settings:
    given = {"kits": kits, "machine_login": "rollcall:" + "x" * 22, "price_per_hour": 600.0, "yes_above": 1.0}
    return settings.model_copy(update=given)


@pytest.fixture
def desk(priced: Settings, prefect: Prefect) -> Iterator[TestClient]:
    folder = priced.home / "drops" / DROP
    (folder / "selfies").mkdir(parents=True)
    (folder / "roster.csv").write_text(ROSTER)
    assert len(read_roster(ROSTER.encode(), "roster.csv").rows) == 2
    report = check_drop(folder / "roster.csv", folder / "selfies", None, None, now=NOON)
    with signed_in_desk(priced, prefect, NOON + timedelta(hours=1), "Ada") as client:
        client.app.state.checks._known[DROP] = Check(report=report)
        yield client


def press(desk: TestClient, path: str, page: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="token" value="([0-9a-f]{64})"', desk.get(page).text)
    assert token is not None
    return desk.post(path, data={"token": token[1], **fields}, follow_redirects=False)


def start(desk: TestClient, **fields: str) -> httpx.Response:
    chosen = {"kit": "harbour", "quality": "draft", "who": "everybody", "people": "", **fields}
    return press(desk, f"/drops/{DROP}/run", f"/drops/{DROP}/run", **chosen)


def test_every_kit_is_a_picture_and_every_quality_says_what_it_costs(desk: TestClient) -> None:
    page = desk.get(f"/drops/{DROP}/run").text
    pictures = re.findall(r'src="(/kits/[a-z]+/[0-9a-f]{12}\.webp)"', page)
    assert len(pictures) == 4
    assert desk.get(pictures[0]).content[:4] == b"RIFF"
    assert page.count("EUR ") >= 3
    assert "Who and why" not in page
    assert "Otto Hahn" in page, "who is not in is listed"


def test_a_start_opens_the_batch_notes_who_ordered_it_and_tells_prefect_no_name(
    desk: TestClient, prefect: Prefect, vault: Vault
) -> None:
    answer = start(desk, people=" 6 ")
    batch = answer.headers["location"].split("/")[2]
    [run] = prefect.started()
    assert run["parameters"] == {
        "drop": str(vault.settings.home / "drops" / DROP), "kit": "harbour", "quality": "draft", "people": "6",
        "who": "everybody",
    }  # fmt: skip
    assert "Ada" not in json.dumps(prefect.asked)
    with vault.reading() as session:
        assert session.get_one(Batch, batch).facts["ordered"]["by"] == "Ada"
    assert "just begun" in desk.get(f"/batches/{batch}/home").text
    assert start(desk, people="6").headers["location"] == answer.headers["location"], "twice is one batch"


@pytest.mark.parametrize(
    "wrong",
    [{"kit": "none"}, {"quality": "superb"}, {"who": "me"}, {"people": "0"}, {"people": "-1"}, {"people": "six"}],
)
def test_what_cannot_be_meant_is_refused_in_words_and_starts_nothing(
    desk: TestClient, prefect: Prefect, wrong: dict[str, str]
) -> None:
    answer = start(desk, **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert prefect.started() == []


def test_without_prefect_nothing_is_said_to_have_begun(desk: TestClient, prefect: Prefect) -> None:
    prefect.gone = True
    answer = start(desk)
    assert answer.status_code == 422
    assert "Nothing was started" in answer.text


def test_a_new_kit_is_there_without_a_restart_and_a_broken_one_breaks_itself_only(desk: TestClient, kits: Path) -> None:
    text = (kits / "signal" / "kit.toml").read_text()
    (kits / "adler").mkdir()
    (kits / "adler" / "kit.toml").write_text(text.replace("Signal avatars", "Adler works"))
    (kits / "signal" / "kit.toml").write_text(text.replace("inter_eye = ", "inter_eyes = "))
    page = desk.get("/kits").text
    assert "Adler works" in page
    assert "signal/kit.toml: framing.inter_eyes: no such key" in page
    assert str(kits) not in page, "no folder of the server"
    assert desk.get(f"/drops/{DROP}/run").text.count('name="kit"') == 4
    assert "framing.inter_eyes" in start(desk, kit="signal").text


def test_a_kit_that_is_in_use_does_not_vanish_unnoticed(desk: TestClient, kits: Path) -> None:
    (kits / "northwind" / "kit.toml").unlink()
    page = desk.get("/kits").text
    assert "The kit northwind is not there any more" in page
    assert "1 batch was taken with it" in page


def test_pictures_on_an_older_state_of_the_kit_are_taken_again_by_one_press(desk: TestClient, prefect: Prefect) -> None:
    page = desk.get("/kits").text
    assert re.search(r"\d+ pictures are on an older state of this kit", page)
    answer = press(desk, "/kits/northwind/again", "/kits", batch="b20261123a")
    assert answer.headers["location"] == "/batches/b20261123a/home"
    assert [run["parameters"]["kit"] for run in prefect.started()] == ["northwind"]
    assert press(desk, "/kits/harbour/again", "/kits", batch="b20261123a").status_code == 404


def test_above_the_companys_limit_a_run_waits_for_a_second_persons_yes(
    desk: TestClient, prefect: Prefect, priced: Settings, vault: Vault
) -> None:
    batch = start(desk).headers["location"].split("/")[2]
    with vault.session() as session:
        people = session.exec(select(Seat.employee_id)).all()[:3]
        session.add_all([Seat(batch_id=batch, employee_id=one, state="ready", cohort=0) for one in people])
    assert cost_of(vault, priced, "draft", 3).money > 1.0  # type: ignore[operator]
    assert hold_if_costly(vault, priced.model_copy(update={"yes_above": 1e6}), batch, NOON) == 0
    assert hold_if_costly(vault, priced.model_copy(update={"price_per_hour": None}), batch, NOON) == 0
    assert hold_if_costly(vault, priced, batch, NOON) == 3
    assert "3 people wait for a yes" in desk.get("/").text
    page = f"/batches/{batch}/home"
    assert "Yes, run it" not in desk.get(page).text, "whoever ordered it cannot say yes"
    assert "ordered under your name" in press(desk, f"/batches/{batch}/approve-cost", page).text
    desk.post("/logout", data={"token": re.search(r'value="([0-9a-f]{64})"', desk.get("/").text)[1]})  # type: ignore[index]
    desk.post("/login", data={"name": "Otto", "password": PASSWORD})
    assert "Yes, run it" in desk.get(page).text
    assert press(desk, f"/batches/{batch}/approve-cost", page).status_code == 303
    assert len(prefect.started()) == 2
    assert hold_if_costly(vault, priced, batch, NOON) == 0, "said once, it is not asked again of the same people"
    with pytest.raises(Exception, match="Nothing of this batch waits"):
        approve_cost(vault, batch, "Otto", NOON)
