"""English and hostile text to try caption metrics on: what is bundled, what installed packages say of themselves, made-up."""

import functools
import inspect
import json
from pathlib import Path

import numpy as np
import polars as pl

from assay.data import bundled

FILES = Path(bundled.__file__).parent / "files"

HARD = (
    "can't cannot Cannot's 'tis 'Twas gonna Wanna. I'm I’m don’t n't ain`t o'clock O'Reilly d'Artagnan l'eau y'all "
    "'em 'n' '90s 1990s Jr. Sr., Mr. Dr St. etc. etc.) e.g., i.e. U.S. U.K a.m. Ph.D. no. Fig. pp. Inc. Co. Ltd. "
    "vs. Jan. Sept. May. ( (a) ) [x] {y} <b> </b> <a href='x y'> < << >> &lt; &amp; AT&T AT&amp;T S&P-500 &nbsp; "
    "&quot; caf&eacute; &#1234; &mdash; - -- --- ----- – — non‑stop well-known pro- U.S.-U.K Sino-U.S. x-ray, 1/2 1 "
    "1/2 3\u00a01/2 ½ 2½ ⅛ 5' 6'2\" 10:30 1,000,000.50 .5 -5 +7 1e5 5% $5 US$5 £3 €4 5¢ ¥6 #1 #tag @user "
    "foo@bar.com a@b http://x.com/a?b=c. www.Example.co.uk/x example.com Example.com file.txt data.CSV a.html, "
    "x.y.z (555) 123-4567 555-1234 12 345 6789 555.123.4567 01/02/2003 ... .... . . . … ?! ?? ! a!b :) :-( =D ^_^ "
    "-_- * ** \\* / a/b and/or w/o c++ C# A+ x=y ~ ^ | © ° × → ★ ☀ 😀 👍🏽 e\u0301 ñ Straße Москва 東京 北京， 你好。 、 こんにちは "
    "한국 עברית العربية हिन्दी ไทย co\u00adop a\u200bb \ufeff \u2009 \u3000 \u00a0 \t \x85 \x93hi\x94 “a” ‘b’ «c» „e“ "
    "``g'' 's dogs' boss's Chris' it's. we'll they've cont'd Cap'n c'est s'mores li'l e'er will-o'-the-wisp _ a_b "
    "snake_case <3 == => % 100% & ~5 ¡Hola! *bold* i I. A. The It C. Z. v1.2.3 1.2.3.4 2) IV. MP3 2nd 20th-century "
    "H2O m² CO₂ 10⁻³ A&M AB+CD -LRB- &HT; 1⁄2 ١٢٣ １２ ａｂｃ （ ， '''' ’’ !?. \x7f \x01"
)
HOSTILE = HARD.split(" ")


@functools.cache
def bundled_texts() -> tuple[str, ...]:
    """Emoji names and keywords in English, names in two dozen languages, questions about pictures."""
    names = pl.read_parquet(FILES / "emoji" / "names.parquet")
    english = names.filter(pl.col("language") == "en")
    questions = pl.read_parquet(FILES / "easy-vqa" / "questions.parquet")["question"].unique(maintain_order=True)
    others = names["name"].unique(maintain_order=True).gather_every(9)
    keywords = [" ".join(words) for words in english["keywords"].to_list()]
    return (*english["name"].to_list(), *keywords, *questions.to_list(), *others.to_list())


@functools.cache
def documentation() -> tuple[str, ...]:
    """Lines of the docstrings of packages that are there anyway."""
    found = []
    for module in (json, np, np.linalg, np.random, pl, inspect, functools):
        for member in vars(module).values():
            text = inspect.getdoc(member) if callable(member) else None
            found += [line.strip() for line in (text or "").splitlines() if len(line.split()) > 3]
    return tuple(dict.fromkeys(found))


def hostile(count: int, seed: int = 0) -> list[str]:
    """Pieces that are hard to tokenise, in any order, with and without space between."""
    rng = np.random.default_rng(seed)
    between = [" ", " ", " ", "", ", ", ". ", "-", "'", "’", ")", "\u00a0"]
    return ["".join(rng.choice(HOSTILE) + rng.choice(between) for _ in range(rng.integers(1, 7))) for _ in range(count)]
