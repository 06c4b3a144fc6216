"""Small tables in the form in which METEOR's come, for tests that need no package and no minute."""

import gzip
import zipfile
from pathlib import Path

from assay.metrics.meteor15.source import Source

NOUNS = ["dog", "dogs", "hound", "cat", "cats", "man", "men"]
WORDS = [*NOUNS, "a", "an", "the", "of", "on", "sit", "sits", "sitting", "seated", "big", "large"]
FUNCTION_WORDS = ["a", "an", "the", "of", "on"]
SYNSETS = {"dog": "1 2", "hound": "2 3", "big": "4", "large": "4", "man": "6", "seat": "7", "sit": "7 8", "dogs": "9"}
IRREGULAR = {"man": "men", "sit": "seated sat"}
PARAPHRASES = [
    ("sitting on", "on"),
    ("on", "sitting on"),
    ("the dog", "a big dog"),
    ("a big dog", "the dog"),
    ("dog", "cat"),
    ("the dog", "dogs"),
    ("the dog", "hound of the"),
    ("a man of the", "men"),
    ("of the", "of"),
    ("a", "the"),
    ("cat sits", "sits cat"),
    ("the cat sits on a", "a cat on the"),
    ("dog", "hound"),
    ("sits", "sitting"),
    ("the the", "a a"),
]


def make(folder: Path, paraphrases=PARAPHRASES, synsets=SYNSETS) -> Source:
    """The two files, written into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Source(folder / "meteor-1.5.jar", folder / "paraphrase-en.gz")
    with zipfile.ZipFile(source.jar, "w", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr("synonym/english.synsets", "".join(f"{word}\n{ids}\n" for word, ids in synsets.items()))
        jar.writestr("synonym/english.exceptions", "".join(f"{base}\n{forms}\n" for base, forms in IRREGULAR.items()))
        jar.writestr("function/english.words", "\n".join(FUNCTION_WORDS))
        jar.writestr("nonbreaking/english.prefixes", "# titles\nDr\n\nNo #NUMERIC_ONLY#\n")
    with gzip.open(source.paraphrases, "wt", encoding="utf-8") as file:
        file.writelines(f"0.5\n{phrase}\n{other}\n" for phrase, other in paraphrases)
    return source
