"""One table of findings: every code about a photo is in it, in the pages' words, and in the documentation as it is."""

from __future__ import annotations

from reports.words import CODES
from tasks.selfies.components import COMPONENTS, findings_table, left_alone_table
from tasks.selfies.findings import WORDS
from tasks.shipped import SHIPPED

# What is wrong with a file, or with a set, is no quality of a face.
NOT_OF_A_FACE = {
    "not_a_picture", "truncated", "too_large", "unopenable", "video", "animated", "other_person", "no_photos",
}  # fmt: skip


def test_every_code_about_a_photo_has_its_place_and_its_words() -> None:
    codes = {code.partition("/")[0] for code, (severity, _, _) in WORDS.items() if severity == "reject"}
    assert codes - NOT_OF_A_FACE <= set(COMPONENTS)
    assert set(COMPONENTS) <= {code.partition("/")[0] for code in WORDS}
    assert set(COMPONENTS) <= set(CODES)


def test_a_head_covering_is_never_a_finding() -> None:
    words = " ".join(text for entry in WORDS.values() for text in entry).lower()
    for word in ("turban", "scarf", "headscarf", " hat", "veil"):
        assert word not in words


def test_the_documentation_holds_the_tables_as_they_are() -> None:
    page = (SHIPPED / "docs" / "photos.md").read_text("utf-8")
    assert findings_table() in page
    assert left_alone_table() in page
