"""The tokenizer knows every word of the grammar as one token and loses no other text."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from synthetic.painter.caption import vocabulary
from synthetic.training.networks import TOKENS
from synthetic.training.vocabulary import RARE, all_words, apply_merges, build_merges, write_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return CLIPTokenizer.from_pretrained(folder)


def test_every_word_is_one_token(tokenizer: CLIPTokenizer) -> None:
    for word in all_words():
        assert len(tokenizer(word)["input_ids"]) == 3, word  # start, word, end


def test_the_grammar_comes_back_as_it_went_in(tokenizer: CLIPTokenizer) -> None:
    for word in vocabulary():
        ids = tokenizer(word)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == word.lower().replace(" ", "")


def test_a_full_caption_fits(tokenizer: CLIPTokenizer) -> None:
    longest = (
        "studio headshot of an older woman in a light blue headscarf with long wavy dark brown hair and glasses and a "
        "hearing aid, plain light grey background, softbox light from the right, light blue v-neck top, smiling"
    )
    assert len(tokenizer(longest)["input_ids"]) <= TOKENS


def test_rare_words_are_no_words_of_the_grammar() -> None:
    assert not set(RARE) & set(vocabulary())


@given(st.lists(st.text("abcde", min_size=1, max_size=6), unique=True, max_size=12))
@settings(max_examples=60)
def test_later_words_never_change_earlier_ones(words: list[str]) -> None:
    ranks = {pair: i for i, pair in enumerate(build_merges(words))}
    for word in words:
        assert apply_merges(word, ranks) == [word + "</w>"]


@given(text=st.text(min_size=1, max_size=20))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_unknown(tokenizer: CLIPTokenizer, text: str) -> None:
    ids = tokenizer(text)["input_ids"][1:-1]
    assert tokenizer.eos_token_id not in ids
