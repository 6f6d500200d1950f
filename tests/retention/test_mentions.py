"""People are found in text wherever a plain search for whole words finds them, and in a company's worth of names."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tasks.retention.mentions import Mentioned, Mentions

WORDS = st.sampled_from(["Ada", "ADA", "Ada O'Neill", "o'neill", "p1", "p10", "-7-", "...", "Zoë", "zoë X", "a b", "b"])
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from([" ", ", ", "<", "x", "_", "'", "é"])), max_size=12).map("".join)


@given(looked_for=st.lists(WORDS, min_size=1, max_size=4), text=TEXTS)
def test_it_finds_what_a_search_for_every_word_finds(looked_for: list[str], text: str) -> None:
    mentions = Mentions([Mentioned("p404", tuple(looked_for))])
    plain = any(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text, re.IGNORECASE) for word in looked_for)
    assert mentions.search(text) == plain


def test_the_id_counts_and_part_of_a_word_does_not() -> None:
    mentions = Mentions([Mentioned("p1", ("Ann Lee",))])
    assert mentions.search('href="people/p1.html"')
    assert mentions.search("ANN LEE")
    assert not mentions.search("p10 and Joann Lee and Ann Leeds and Ann, Lee")


def test_letters_that_fold_in_other_ways() -> None:
    assert Mentions([Mentioned("p1", ("Strauß",))]).search("STRAUSS")
    assert Mentions([Mentioned("p1", ("ΝΊΚΟΣ",))]).search("Νίκος")


def test_ten_thousand_people_are_looked_for_at_once() -> None:
    """As one pattern this would take hours, where seconds will do."""
    page = "<p>Nobody is named here, but there is much to read about light and likeness.</p>\n" * 2000
    crowd = [
        Mentioned(f"p{n:015x}", (f"Person Number {n}", f"person{n}@x.example", f"E-{n:07}")) for n in range(10_000)
    ]
    mentions = Mentions(crowd)
    assert not mentions.search(page)
    assert mentions.search(page + "by person number 9999")
