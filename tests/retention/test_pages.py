"""Pages lose everything about a person and as little else as possible; what cannot be cut is removed whole."""

import json
import re
from pathlib import Path

import pytest

from tasks.retention import pages
from tasks.retention.mentions import Mentioned
from tasks.retention.pages import clear_pages, cut_mentions, remove_pictures
from tasks.vault.report_files import InFolder

ADA = Mentioned("p1", ("Ada O'Neill", "ada@x.example"))


def _site(folder: Path, name: str, text: str) -> Path:
    path = folder / "b1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_cards_and_data_about_a_person_are_cut(tmp_path: Path) -> None:
    rows = [{"id": "p1", "name": "Ada O'Neill"}, {"id": "p10", "name": "Bo"}]
    page = _site(
        tmp_path,
        "index.html",
        "<!doctype html><title>Team</title><main>\n"
        '<ul><li id="p1"><a href="people/p1.html"><img src="people/p1/1.jpg">Ada O&#39;Neill</a></li>\n'
        '<li id="p10"><a href="people/p10.html">Bo</a></li></ul>\n'
        "<p>Newest: <b>ada@x.example</b></p><p>The end</p></main>"
        f'<script type="application/json">{json.dumps({"rows": rows, "by_id": {"p1": 0, "p10": 1}})}</script>',
    )
    cleared = clear_pages(tmp_path, [ADA])
    assert (cleared.removed, cleared.rewritten, cleared.batches, cleared.residue) == (0, 1, ("b1",), 0)
    text = page.read_text()
    assert "Ada" not in text
    assert not re.search(r"\bp1\b", text)
    assert '<li id="p10"><a href="people/p10.html">Bo</a></li>' in text
    assert "The end" in text
    data = json.loads(text.split('application/json">')[1].split("</script>")[0])
    assert data == {"rows": [{"id": "p10", "name": "Bo"}], "by_id": {"p10": 1}}


def test_folder_and_page_go_and_neighbours_stay(tmp_path: Path) -> None:
    for one in ("p1", "p10"):
        _site(tmp_path, f"people/{one}.html", "x")
        _site(tmp_path, f"people/{one}/1.jpg", "x")
    clear_pages(tmp_path, [ADA])
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["b1/people/p10.html", "b1/people/p10/1.jpg"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notes.txt", "talked to Ada O'Neill"),
        ("export.csv", "p1;x"),
        ("code.js", 'const first = "p1";'),
        ("broken.json", '{"id": "p1"'),
        ("odd.html", "p1 outside of any element"),
        ("list.html", "<body data-people='p1 p10'><p>others</p></body>"),
    ],
)
def test_what_cannot_be_cut_is_removed_whole(tmp_path: Path, name: str, text: str) -> None:
    path = _site(tmp_path, name, text)
    other = _site(tmp_path, f"other-{name}", "nobody")
    assert clear_pages(tmp_path, [ADA]).residue == 0
    assert not path.exists()
    assert other.exists()


def test_pages_that_do_not_mention_anybody_are_not_touched(tmp_path: Path) -> None:
    page = _site(tmp_path, "index.html", "<p>p10 and p11, Ada and O'Neill apart</p>")
    before = page.stat().st_mtime_ns
    assert clear_pages(tmp_path, [ADA]) == clear_pages(tmp_path / "none", [ADA])
    assert page.stat().st_mtime_ns == before


def test_names_in_other_letters_and_escapes(tmp_path: Path) -> None:
    zoe = Mentioned("p2", ('Zoë "Z" <Quagga>',))
    page = _site(
        tmp_path,
        "index.html",
        "<ul><li>ZOË &#34;Z&#34; &lt;QUAGGA&gt;</li><li>Bo</li></ul>"
        + '<script type="application/json">'
        + json.dumps([{"n": 'Zoë "Z" <Quagga>'}, {"n": "Bo"}]).replace("<", "\\u003c")
        + "</script>",
    )
    clear_pages(tmp_path, [zoe])
    text = page.read_text()
    assert "quagga" not in text.lower()
    assert text.startswith("<ul><li>Bo</li></ul>")
    assert json.loads(text.split('json">')[1].split("<")[0]) == [{"n": "Bo"}]


def test_other_line_ends_do_not_shift_the_knife(tmp_path: Path) -> None:
    page = _site(tmp_path, "index.html", "")
    page.write_bytes("<ul>\r\n<li>a\x0cb</li>\u2028\r\n<li id='p1'>\rx</li>\r\n<li>c</li>\r\n</ul>".encode())
    clear_pages(tmp_path, [ADA])
    assert page.read_bytes().decode() == "<ul>\r\n<li>a\x0cb</li>\u2028\r\n\r\n<li>c</li>\r\n</ul>"


def test_nested_elements_go_with_the_outermost_that_names_somebody() -> None:
    pattern = re.compile(r"\bp1\b")
    text = '<main><article data-id="p1"><p>p1</p><br><p>more</p></article><article>x</article></main>'
    assert cut_mentions(text, pattern, ".html") == "<main><article>x</article></main>"


def test_pictures_go_when_the_photos_do(tmp_path: Path) -> None:
    _site(tmp_path, "people/p1/1.jpg", "x")
    _site(tmp_path, "people/p1.html", "x")
    assert remove_pictures(tmp_path, ["p1", "p2"]) == ("b1",)
    assert not (tmp_path / "b1/people/p1").exists()
    assert (tmp_path / "b1/people/p1.html").exists()


def test_a_wall_of_thousands_is_cut(tmp_path: Path) -> None:
    """Comparing every card with every other took time by the square of the company: minutes, where seconds will do."""
    people = [Mentioned(f"p{number}x", (f"Person Number {number}",)) for number in range(4000)]
    card = '<li id="{0}"><a href="people/{0}.html"><b>{1}</b></a><p>nothing to say</p></li>'
    cards = "".join(card.format(one.id, one.words[0]) for one in people)
    page = _site(tmp_path, "index.html", f"<main><ul>{cards}<li>Bo</li></ul></main>")
    assert clear_pages(tmp_path, people).residue == 0
    assert page.read_text() == "<main><ul><li>Bo</li></ul></main>"


def test_a_page_that_is_gone_before_it_is_read_stops_nobody_s_forgetting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report is written beside the forgetting: what was listed half-written has got its name by now."""
    page = tmp_path / "b1" / "index.html"
    page.parent.mkdir()
    page.write_text("<ul><li>Amara Okafor</li><li>Jonas Chen</li></ul>", encoding="utf-8")
    gone = page.with_name(".index.html.3f2a.part")
    monkeypatch.setattr("tasks.retention.pages._files", lambda _: [gone, page])
    put, times = pages.replace_file, iter((1, 2))

    def cleared_away_once(path: Path, data: bytes) -> None:
        if next(times) == 1:
            raise FileNotFoundError
        put(path, data)

    monkeypatch.setattr(pages, "replace_file", cleared_away_once)
    cleared = clear_pages(tmp_path, [Mentioned("p1", ("Amara Okafor",))])
    assert (cleared.rewritten, cleared.residue) == (1, 0)
    assert not gone.exists()
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    assert InFolder(tmp_path).read("b1/blocked.html") is None
