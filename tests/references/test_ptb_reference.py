"""The tokeniser beside Stanford's own, token by token, on real and hostile captions."""

import shutil
import subprocess
from pathlib import Path

import pytest
from caption_texts import bundled_texts, documentation, hostile

from assay.metrics.ptb import DROPPED, tokenize

BREAKS = str.maketrans(dict.fromkeys("\n\r\x0b\x0c\u2028\u2029", " "))


def by_the_jar(captions, folder):
    """What pycocoevalcap's tokeniser makes of captions, each with a stroke after it, so that none sees the next."""
    package = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    file = folder / "captions.txt"
    file.write_text("\n|\n".join(captions) + "\n", encoding="utf-8")
    jar = Path(package.__file__).parent / package.STANFORD_CORENLP_3_4_1_JAR
    command = [
        "java",
        "-Xshare:auto",
        "-Dfile.encoding=UTF-8",
        "-cp",
        str(jar),
        "edu.stanford.nlp.process.PTBTokenizer",
    ]
    done = subprocess.run([*command, "-preserveLines", "-lowerCase", str(file)], capture_output=True, check=True)
    lines = done.stdout.decode("utf-8").split("\n")[: 2 * len(captions) : 2]
    return [[token for token in line.split(" ") if token and token not in DROPPED] for line in lines]


@pytest.mark.parametrize(
    ("what", "least"),
    [("bundled", 2_000), ("documentation", 2_000), ("hostile", 3_000)],
    ids=["bundled", "docs", "hostile"],
)
def test_every_token_is_stanfords(what, least, tmp_path):
    texts = {"bundled": bundled_texts, "documentation": documentation, "hostile": lambda: hostile(3_000)}[what]()
    captions = [text.translate(BREAKS) for text in texts]
    assert len(captions) >= least
    theirs = by_the_jar(captions, tmp_path)
    differ = [
        (text, tokenize(text), other) for text, other in zip(captions, theirs, strict=True) if tokenize(text) != other
    ]
    assert not differ, differ[:5]
