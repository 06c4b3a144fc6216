"""The trained tokeniser: exact round trips, merges as by hand, refusals, batches."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.models.bpe import END, FIRST_BYTE, FIRST_MERGE, PAD, START, Bpe, read_bpe, train_bpe

CORPUS = ["red apple", "a red heart, a green heart", "红苹果", "红心，绿心", "apples & hearts: 10 of 100"] * 3
BPE = train_bpe(CORPUS, 320)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_comes_back(text: str) -> None:
    assert BPE.decode(BPE.encode(text)) == text


@pytest.mark.parametrize("text", ["", " ", "\n\t  x", "\ud800", "a\x00b", "नमस्ते", "👩‍🚀", "_a__b", "<eos>", "e\u0301"])
def test_odd_texts_come_back(text: str) -> None:
    tokens = BPE.encode(text)
    assert BPE.decode(tokens) == text
    assert not {PAD, START, END} & set(tokens)


def test_it_merges_what_is_frequent_in_both_languages() -> None:
    assert len(BPE.encode("red heart")) <= 3 and len(BPE.encode("红苹果")) < len("红苹果".encode())


def naive(texts: list[str], merges: int) -> list[tuple[bytes, bytes]]:
    """The definition, without any book-keeping, over texts of single words."""
    words = Counter(texts)
    cut = {word: [bytes([b]) for b in word.encode()] for word in words}
    names = {bytes([b]): FIRST_BYTE + b for b in range(256)}
    out = []
    for _ in range(merges):
        counts: Counter[tuple[bytes, bytes]] = Counter()
        for word, parts in cut.items():
            for pair in pairwise(parts):
                counts[pair] += words[word]
        best = min(counts, key=lambda pair: (-counts[pair], names[pair[0]], names[pair[1]]))
        names[best[0] + best[1]] = FIRST_MERGE + len(out)
        out.append(best)
        for word, parts in cut.items():
            new: list[bytes] = []
            for part in parts:
                if new and (new[-1], part) == best and new[-1] is not None:
                    new[-1] = new[-1] + part
                else:
                    new.append(part)
            cut[word] = new
    return out


def test_merges_are_those_of_the_definition() -> None:
    texts = ["lower", "lowest", "newer", "newest", "wider", "widest", "new", "low"] * 2
    bpe = train_bpe(texts, FIRST_MERGE + 12)
    assert [(bpe.pieces[a], bpe.pieces[b]) for a, b in bpe.merges] == naive(texts, 12)


def test_training_is_the_same_every_time_and_stops_where_nothing_is_frequent() -> None:
    assert train_bpe(CORPUS, 320) == BPE
    assert train_bpe(["ab"], 400).merges == ()
    with pytest.raises(ValueError, match="at least 259"):
        train_bpe(CORPUS, 10)


def test_it_is_kept_and_read() -> None:
    assert read_bpe(BPE.to_json()) == BPE


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"merges": 3}', '{"merges": "1,2"}', '{"merges": "9"}', '{"merges": "3,400"}']
)
def test_what_is_no_tokeniser_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="tokeniser|tokenizer.json"):
        read_bpe(text)


def test_a_merge_joins_earlier_tokens() -> None:
    with pytest.raises(ValueError, match="merge 0"):
        Bpe(((FIRST_MERGE, 5),))
    assert json.loads(BPE.to_json())["format"] == 1


def test_batches_are_padded_at_the_end_and_cut() -> None:
    batch = BPE.batch(["", "red", "red apple red apple"], longest=2)
    assert batch.shape == (3, 2) and batch[0].tolist() == [PAD, PAD] and int(batch[1, 1]) == PAD
    assert BPE.batch([], 4).shape == (0, 1)
    assert BPE.decode(batch[2].tolist()) == "red apple"
