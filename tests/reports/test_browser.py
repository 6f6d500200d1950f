"""The pages in a real browser: filters, keyboard review, decisions posted and exported, axe, and 2,000 people."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from reports.data import ReportData
from reports.site import PER_PAGE, write_site
from tasks.vault.records import Decision
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tests.reports.browsing import BROWSER, Open, sign_in
from tests.reports.conftest import HOSTILE, company

BATCH = "b20261123a"
FIRST = f"p{1:015x}"

pytestmark = BROWSER


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(company(20, HOSTILE), tmp_path_factory.mktemp("report")).parent


@pytest.fixture
def wall(browse: Open, site: Path) -> Any:
    return browse((site / "index.html").as_uri(), offline=True)


def names(page: Any) -> list[str]:
    return [str(text) for text in page.locator("#wall .name").all_text_contents()]


def test_the_wall_shows_everybody_and_finds_them(wall: Any) -> None:
    assert len(names(wall)) == 24
    assert HOSTILE[0] in names(wall), "markup in a name is text"
    wall.locator("#segments button", has_text="Blocked").click()
    assert wall.locator("#wall .card").count() == 5
    assert set(wall.locator("#wall .chip").all_text_contents()) == {"Blocked"}
    wall.locator("#segments button", has_text="Everyone").click()
    wall.select_option("#department", "Sales")
    assert {*wall.locator("#wall .dept").all_text_contents()} == {"Sales"}
    wall.select_option("#department", "")
    wall.select_option("#problem", "no_photos")
    assert wall.locator("#wall .card").count() == 2
    wall.select_option("#problem", "")
    wall.fill("#search", "sofia  ROSSI")  # accents, case and order do not matter
    assert names(wall) == [name for name in names(wall) if "Sof" in name]
    wall.fill("#search", "nobody of this name")
    assert wall.locator("#empty").is_visible()
    wall.click("#clear")
    assert len(names(wall)) == 24


def test_on_a_phone_the_picture_and_a_photo_are_seen_together(browse: Open, site: Path) -> None:
    page = browse((site / "people" / f"{FIRST}.html").as_uri(), viewport={"width": 390, "height": 844}, has_touch=True)
    bar = page.locator(".decide").bounding_box()["y"]
    for seen in (page.locator(".candidate img >> visible=true").first, page.locator(".selfies img").first):
        box = seen.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= bar
        assert box["width"] >= 100


def test_the_wall_sorts(wall: Any) -> None:
    assert wall.locator("#wall .chip").first.text_content() == "Needs a look", "what needs a look comes first"
    wall.select_option("#sort", "name")
    plain = [name for name in names(wall) if name.isascii() and name not in HOSTILE][:8]  # those with a picture
    assert plain == sorted(plain)
    wall.select_option("#sort", "likeness")
    assert wall.locator("#wall .chip").first.text_content() == "Needs a look"
    wall.select_option("#sort", "attention")
    assert wall.locator("#wall .chip").first.text_content() == "Needs a look"
    wall.select_option("#sort", "roster")
    assert names(wall)[-1] == HOSTILE[-1]


def test_the_whole_review_goes_by_keyboard_and_ends_in_a_file(wall: Any, tmp_path: Path) -> None:
    wall.select_option("#sort", "roster")
    wall.locator("#sort").blur()
    first, second = wall.locator("#wall .card").nth(0), wall.locator("#wall .card").nth(1)
    wall.keyboard.press("j")
    wall.keyboard.press("a")
    assert first.locator(".chip").text_content() == "Approved"
    wall.keyboard.press("j")
    wall.keyboard.press("r")
    assert second.locator(".chip").text_content() == "Rejected"
    wall.keyboard.press("u")
    assert second.locator(".chip").text_content() == "To review"
    wall.keyboard.press("d")
    wall.click("#redo >> text=Ask for new pictures")
    second.locator(".chip:text-is('Redo asked')").wait_for()
    wall.keyboard.press("n")
    assert wall.locator(".card.current .chip").text_content() == "Needs a look", "the next undecided one"
    wall.keyboard.press("o")
    wall.locator("#ask >> text=Cancel").click()
    wall.keyboard.press("?")
    assert wall.locator("#help").is_visible()
    wall.keyboard.press("Escape")
    wall.reload()
    wall.select_option("#sort", "roster")
    assert wall.locator("#wall .card").nth(0).locator(".chip").text_content() == "Approved", "kept over a reload"
    with wall.expect_download() as waiting:
        wall.click("#export")
    waiting.value.save_as(tmp_path / "decisions.json")
    exported = json.loads((tmp_path / "decisions.json").read_text())
    assert exported["batch"] == BATCH
    assert [one["verdict"] for one in exported["decisions"]] == ["approve", "reject", "undo", "redo"]


def test_a_person_is_judged_beside_their_photos(wall: Any) -> None:
    wall.select_option("#sort", "roster")
    wall.locator("#sort").blur()
    wall.keyboard.press("j")
    wall.keyboard.press("Enter")
    wall.wait_for_selector(".compare")
    shown = wall.locator("figure.candidate:visible")
    assert shown.count() == 1
    one = shown.get_attribute("data-digest")
    wall.keyboard.press("2")
    assert shown.get_attribute("data-digest") != one
    assert wall.locator(".selfies img").count() == 4
    wall.fill("#note", "the second one")
    wall.locator("#note").press("Escape")
    wall.keyboard.press("a")
    assert wall.locator("#state").text_content() == "Approved"
    wall.keyboard.press("n")
    wall.wait_for_url(f"**/{FIRST}.html")


def test_nothing_is_lost_without_scripts(browse: Open, site: Path) -> None:
    page = browse((site / "people" / f"{FIRST}.html").as_uri(), java_script_enabled=False, offline=True)
    assert page.locator("figure.candidate:visible").count() == 2
    page = browse((site / "print.html").as_uri(), java_script_enabled=False, offline=True)
    assert page.locator(".card").count() == 19  # of 24: five are blocked, and hang on no wall


def test_a_wall_is_printed_of_approved_pictures_unless_somebody_asks_for_all(browse: Open, site: Path) -> None:
    page = browse((site / "print.html").as_uri(), offline=True)
    hung = page.locator(".card:visible")
    approved = page.locator('.card[data-state="approved"]').count()
    assert 0 < approved < 19
    assert [card.get_attribute("data-state") for card in hung.all()] == ["approved"] * approved
    page.locator("#only-approved").uncheck()
    assert hung.count() == 19
    page.select_option("#only-department", "Sales")
    assert 0 < hung.count() < 19
    assert page.locator(".sheet:visible").count() == 1


def test_before_anything_is_approved_the_wall_to_print_shows_everybody(browse: Open, tmp_path: Path) -> None:
    """Otherwise it would be an empty sheet that nobody asked for."""
    undecided = replace(company(3), people=tuple(replace(one, decisions=()) for one in company(3).people))
    page = browse((write_site(undecided, tmp_path / "report").parent / "print.html").as_uri(), offline=True)
    assert page.locator(".card").count() > 0
    assert page.locator(".card:visible").count() == page.locator(".card").count()


def serious(page: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    # Style sheets are on the page already; fetching them again is what `file:` forbids.
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_report(browse: Open, site: Path, scheme: str) -> None:
    page = browse((site / "index.html").as_uri(), color_scheme=scheme, bypass_csp=True)
    found = {"index": serious(page)}
    for name in ("blocked", "run", f"people/p{2:015x}", f"people/p{11:015x}"):
        page.goto((site / f"{name}.html").as_uri())
        found[name] = serious(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_decisions_reach_the_records_and_other_browsers(browse: Open, served: str, settings: Settings) -> None:
    page = browse(served)
    sign_in(page)
    page.click(".batch")
    page.wait_for_selector("#wall .card")
    page.select_option("#sort", "roster")
    page.locator("#sort").blur()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_selector("#sync:text-is('Saved')")  # a selector: the page's policy forbids evaluating strings
    with open_vault(settings) as vault, vault.reading() as session:
        row = session.exec(select(Decision).order_by(col(Decision.at).desc())).first()
    assert row is not None
    assert (row.employee_id, row.by, row.verdict) == (f"p{0:015x}", "Ada", "approve")
    colleague = browse(served)
    sign_in(colleague)
    colleague.click(".batch")
    colleague.wait_for_selector("#wall .card")
    colleague.select_option("#sort", "roster")
    colleague.wait_for_selector("#wall .card:first-child .chip:text-is('Approved')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_at_the_desk(browse: Open, served: str, scheme: str) -> None:
    page = browse(served, color_scheme=scheme, bypass_csp=True)
    found = {"login": serious(page)}
    sign_in(page)
    page.wait_for_selector(".batch")
    found["batches"] = serious(page)
    page.goto(f"{served}/drops/new")
    found["upload"] = serious(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_two_thousand_people_stay_quick(browse: Open, tmp_path: Path) -> None:
    data: ReportData = company(60, candidates=1, photos=0)
    many = tuple(replace(data.people[i % 60], id=f"p{i:015x}", position=i) for i in range(2000))
    lean = replace(data, people=tuple(replace(one, headshots=()) if i >= 60 else one for i, one in enumerate(many)))
    write_site(lean, tmp_path)
    page = browse((tmp_path / "index.html").as_uri(), offline=True)
    assert page.locator("#wall .card").count() == PER_PAGE
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    search = "(() => { const box = document.getElementById('search'); const t = performance.now(); box.value = 'a b';"
    search += " box.dispatchEvent(new Event('input')); return performance.now() - t; })()"
    assert page.evaluate(search) < 1000, "a search over everybody, on a busy machine"
    page.fill("#search", "")
    page.click("#page-after")
    assert page.locator("#page-text").text_content() == "Page 2 of 34"
    for _ in range(2):
        page.keyboard.press("k")  # back over the edge of the page
    assert page.locator("#page-text").text_content() == "Page 1 of 34"
