"""Where METEOR's tables come from: the files of the package pycocoevalcap, read as files and never imported or run.

The jar is a zip archive that holds WordNet's synonyms, the function words and the abbreviations; the paraphrases are a
gzip file beside it. None of it is part of assay (the tables have licences of their own).
"""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "pycocoevalcap"
INSTALL = "pip install 'assay[meteor]'"
SYNSETS, EXCEPTIONS = "synonym/english.synsets", "synonym/english.exceptions"
FUNCTION_WORDS, ABBREVIATIONS = "function/english.words", "nonbreaking/english.prefixes"
MEMBERS = (SYNSETS, EXCEPTIONS, FUNCTION_WORDS, ABBREVIATIONS)


@dataclass(frozen=True, slots=True)
class Source:
    """The two files, as installed."""

    jar: Path
    paraphrases: Path

    def fingerprint(self, layout: int) -> str:
        """A hash of what the files hold, from the checksums that they carry: reading it costs no more than their ends."""
        digest = hashlib.sha256(f"layout {layout}".encode())
        with zipfile.ZipFile(self.jar) as archive:
            for member in MEMBERS:
                digest.update(f"{member} {archive.getinfo(member).CRC} {archive.getinfo(member).file_size}".encode())
        with self.paraphrases.open("rb") as file:
            file.seek(-8, 2)
            digest.update(file.read())
            digest.update(str(file.tell()).encode())
        return digest.hexdigest()[:16]

    def text(self, member: str) -> str:
        """One file of the jar."""
        with zipfile.ZipFile(self.jar) as archive:
            return archive.read(member).decode("utf-8")


def installed() -> Source:
    """The files of the installed package. Raises `ValueError` that says what to install where there are none."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = [] if spec is None else [Path(place) / "meteor" for place in spec.submodule_search_locations or ()]
    for folder in folders:
        source = Source(folder / "meteor-1.5.jar", folder / "data" / "paraphrase-en.gz")
        if source.jar.is_file() and source.paraphrases.is_file():
            return source
    raise ValueError(
        f"meteor needs the tables of METEOR 1.5, which come with {PACKAGE} (no Java is needed): {INSTALL}. Without them "
        "there is meteor15_noparaphrase, another metric: exact words and stems alone."
    )
