"""The written site: pages as they were last looked at, links that lead somewhere, names that stay text."""

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.data import PersonRow, ReportData
from reports.pages import wall_rows
from reports.pictures import team_wall_picture
from reports.site import CSP, STATIC, as_json, asset_names, on_paper, wall_pieces, write_site
from tasks.vision.small import THUMB, small

FORBIDDEN = re.compile(r"https?://|innerHTML|insertAdjacentHTML|\beval\b|document\.write|@import|url\(")
GOLDEN = Path(__file__).parent / "golden"
GOLDEN_PAGES = ("index", "blocked", "run", "print", "people/p000000000000001", "people/p000000000000002",
                "people/p000000000000005", "people/p000000000000008")  # fmt: skip


class Page(HTMLParser):
    """What a browser would do with a page: where it goes, what it runs, and the text people read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.links += [str(found[name]) for name in ("href", "src") if found.get(name)]
        self.ids |= {str(found["id"])} if "id" in found else set()
        if tag == "script":
            self._script = found.get("type") or ("" if "src" in found else "inline")

    def handle_endtag(self, tag: str) -> None:
        self._script = None if tag == "script" else self._script

    def handle_data(self, data: str) -> None:
        if self._script == "inline" and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def site(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(data, tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def normalised(text: str) -> str:
    """Without what changes when a style or script does."""
    return re.sub(r"assets/(\w+)\.[0-9a-f]{10}\.", r"assets/\1.HASH.", text)


@pytest.mark.parametrize("name", GOLDEN_PAGES)
def test_pages_are_as_they_were_last_looked_at(site: Path, name: str) -> None:
    """Run with ROLLCALL_GOLDEN=write after a wanted change, and look at the difference."""
    written = normalised((site / f"{name}.html").read_text(encoding="utf-8"))
    golden = GOLDEN / f"{name.replace('/', '-')}.html"
    if os.environ.get("ROLLCALL_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(written, encoding="utf-8")
    assert written == golden.read_text(encoding="utf-8")


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        for link in page.links:
            target, _, fragment = link.partition("#")
            place = (path.parent / target).resolve() if target else path
            if not place.is_file() or (fragment and fragment not in Page(place.read_text()).ids):
                dead.append((path.name, link))
            assert site.resolve() in place.parents, "no link leaves the report"
    assert dead == []


def test_pictures_in_the_walls_data_exist(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    island = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert island is not None
    rows = json.loads(island[1])["people"]
    for row in rows:
        if row["thumb"]:
            with Image.open(site / row["thumb"]["src"]) as picture:
                assert picture.size == (row["thumb"]["width"], row["thumb"]["height"])
    assert sum(1 for row in rows if row["thumb"]) > 15


def test_a_large_walls_people_lie_in_pieces_beside_a_small_page(
    data: ReportData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand people are four megabytes: the first picture waits for none of them, nor does a folder's page."""
    monkeypatch.setattr("reports.site.PIECE", 16)
    first = write_site(data, tmp_path)
    wall = Page(first.read_text(encoding="utf-8"))
    pieces = [link for link in wall.links if link.startswith("wall/")]
    assert len(pieces) == -(-len(data.people) // 16)
    assert sorted(f"wall/{path.name}" for path in (tmp_path / "wall").iterdir()) == sorted(pieces)
    rows = []
    for piece in pieces:
        text = (tmp_path / piece).read_text(encoding="utf-8")
        assert "<" not in text
        handed = re.fullmatch(r"RollcallPiece\((.*)\);\n", text, re.S)
        assert handed is not None
        rows += json.loads(handed[1])
    assert {row["id"] for row in rows} == {person.id for person in data.people}
    own = re.search(r'id="data">(.*?)</script>', first.read_text(encoding="utf-8"), re.S)
    assert own is not None
    assert json.loads(own[1])["people"] == []
    assert json.loads(own[1])["pieces"] == len(pieces) > 1
    gone = data.people[3]
    write_site(replace(data, people=tuple(one for one in data.people if one is not gone)), tmp_path)
    assert [path.name for path in (tmp_path / "wall").iterdir() if gone.id in path.read_text(encoding="utf-8")] == []
    write_site(replace(data, people=data.people[:16]), tmp_path)
    assert list((tmp_path / "wall").iterdir()) == [], "a wall that fits its page has none"


def test_a_piece_and_the_page_of_ten_thousand_stay_below_300_kb(data: ReportData) -> None:
    """By the longest rows there are: what a page of any size holds itself is one piece at most."""
    rows = wall_rows(data, {})
    thumb = {"src": "people/p000000000000001/t-0123456789abcdef-240x300.webp", "width": 240, "height": 300}
    full = [{**row, "thumb": thumb, "headshot": "0" * 64} for row in rows if len(row["name"]) < 60]
    many = [full[number % len(full)] for number in range(10_000)]
    sizes = [len(text.encode()) for text in wall_pieces(many).values()]
    assert len(sizes) == 17
    assert max(sizes) < 300_000


def test_nothing_inline_can_run_and_the_policy_says_so(pages: dict[Path, Page]) -> None:
    for page in pages.values():
        assert page.inline == []
        policies = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
        assert policies == [CSP]
        for tag, attributes in page.tags:
            assert tag != "style"
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
    assert "unsafe" not in CSP
    assert "http" not in CSP


def test_hostile_names_are_text(site: Path, data: ReportData) -> None:
    names = [one.name for one in data.people[-4:]]
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "</script>alert" not in text.replace("\\u003c", "")
    wall = (site / "index.html").read_text(encoding="utf-8")
    assert "\\u003cscript\\u003ealert(1)" in wall
    script, formula, *_ = [(site / "people" / f"{one.id}.html").read_text() for one in data.people[-4:]]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in script
    assert names[1].split("|")[0] in formula


def test_json_cannot_end_its_script_element() -> None:
    text = str(as_json({"a": "</script><!--&\u2028"}))
    assert "<" not in text
    assert "&" not in text
    assert json.loads(text) == {"a": "</script><!--&\u2028"}


def test_assets_are_named_by_their_content(site: Path) -> None:
    assert {path.name for path in (site / "assets").iterdir()} == {Path(n).name for n in asset_names().values()}


def test_scripts_are_small_and_ask_nobody_else() -> None:
    scripts = sorted(STATIC.glob("*.js"))
    assert sum(path.read_text().count("\n") for path in scripts) < 1150
    for path in (*scripts, STATIC / "report.css"):
        text = path.read_text()
        assert not FORBIDDEN.search(text), path.name


def opened(data: ReportData) -> tuple[ReportData, list[str]]:
    """The same data, and a list of the pictures that are opened."""
    asked: list[str] = []

    def open_picture(employee: str, key: str) -> bytes | None:
        asked.append(key)
        return data.pictures(employee, key)

    return replace(data, pictures=open_picture), asked


KEYS = ("a thumb", "a large one", "a small one")


@pytest.fixture
def four(data: ReportData) -> ReportData:
    some = (replace(one, headshots=one.headshots[:2], selfies=one.selfies[:2]) for one in data.people[:4])
    return replace(data, people=tuple(some))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_writing_twice_opens_no_picture_and_changes_nothing(four: ReportData, tmp_path: Path) -> None:
    write_site(four, tmp_path)
    before = files(tmp_path)
    again, asked = opened(four)
    write_site(again, tmp_path)
    assert asked == []
    assert files(tmp_path) == before


def test_copies_that_were_made_with_the_pictures_are_written_as_they_are(four: ReportData, tmp_path: Path) -> None:
    person = four.people[0]
    shot, selfie = replace(person.headshots[0], thumb="a thumb", large="a large one"), person.selfies[0]
    one = replace(person, headshots=(shot,), selfies=(replace(selfie, small="a small one"),))
    made = {key: small(np.full((60, 40, 3), shade, np.uint8), THUMB) for shade, key in enumerate(KEYS)}
    asked = []

    def open_picture(employee: str, key: str) -> bytes | None:
        asked.append(key)
        return made.get(key)

    write_site(replace(four, people=(one,), pictures=open_picture), tmp_path)
    written = {path.name[0]: path.read_bytes() for path in (tmp_path / "people" / one.id).iterdir()}
    assert written == {"h": made["a large one"], "t": made["a thumb"], "s": made["a small one"]}
    assert sorted(asked) == sorted(KEYS), "no large picture is opened where a small one lies"


def test_without_a_copy_it_is_made_of_the_picture(four: ReportData, tmp_path: Path) -> None:
    person = four.people[0]
    one = replace(person, selfies=(replace(person.selfies[0], small="gone"),), headshots=())
    source, asked = opened(replace(four, people=(one,)))
    keys = {"gone"}
    write_site(replace(source, pictures=lambda who, key: None if key in keys else source.pictures(who, key)), tmp_path)
    assert asked == [person.selfies[0].key]
    assert len(list((tmp_path / "people" / one.id).glob("s-*.webp"))) == 1


def test_who_is_forgotten_leaves_no_trace_in_the_pages(four: ReportData, tmp_path: Path) -> None:
    write_site(four, tmp_path)
    gone = four.people[1]
    write_site(replace(four, people=(four.people[0], *four.people[2:]), erased=1), tmp_path)
    for name, content in files(tmp_path).items():
        assert gone.id not in name
        assert gone.id.encode() not in content
        assert gone.name.encode() not in content
    assert "1 more has been forgotten since" in (tmp_path / "index.html").read_text()


def test_pictures_go_when_consent_does(four: ReportData, tmp_path: Path) -> None:
    write_site(four, tmp_path)
    person: PersonRow = four.people[0]
    assert list((tmp_path / "people" / person.id).glob("*.webp"))
    write_site(replace(four, people=(replace(person, viewable=False), *four.people[1:])), tmp_path)
    assert not list((tmp_path / "people" / person.id).glob("*.webp"))
    assert "consent no longer covers it" in (tmp_path / "people" / f"{person.id}.html").read_text()


def test_a_picture_that_is_gone_leaves_a_page_that_says_so(four: ReportData, tmp_path: Path) -> None:
    write_site(replace(four, pictures=lambda employee, key: None), tmp_path)
    assert "No pictures yet" in (tmp_path / "people" / f"{four.people[0].id}.html").read_text()


def test_an_empty_batch_is_a_report_too(four: ReportData, tmp_path: Path) -> None:
    write_site(replace(four, people=()), tmp_path)
    assert "Nobody was left out" in (tmp_path / "blocked.html").read_text()


def test_the_wall_as_a_picture_shows_everybody_who_has_one(four: ReportData, tmp_path: Path) -> None:
    (tmp_path / "wall.png").write_bytes(team_wall_picture(four, columns=2, tile=(80, 100), gap=10))
    with Image.open(tmp_path / "wall.png") as picture:
        assert picture.size == (2 * 90 + 10, 2 * 110 + 10)


def test_a_printed_wall_says_in_words_how_pictures_were_made_and_names_nobody_who_is_blocked() -> None:
    rows = [
        {"name": "Ada", "state": "review", "lane": "generated", "thumb": {"src": "a"}},
        {"name": "Bob", "state": "approved", "lane": "faithful", "thumb": {"src": "b"}},
        {"name": "Cy", "state": "waiting", "lane": None, "thumb": None},
        {"name": "Took It Back", "state": "blocked", "lane": "generated", "thumb": {"src": "d"}},
    ]
    assert [(row["name"], row["made"]) for row in on_paper(rows)] == [
        ("Ada", "AI-generated"), ("Bob", "AI-modified"), ("Cy", ""),
    ]  # fmt: skip
