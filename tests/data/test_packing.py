"""The programs in `tools/` that pack the data: who is a family, who is dealt where, that nothing is left to chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from assay.data.bundled import emoji

TOOLS = Path(__file__).parents[2] / "tools"
pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason="the tools are not part of an installed package")


@pytest.fixture(autouse=True)
def tools_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


@pytest.mark.parametrize(
    ("members", "family"),
    [
        (["1f3c3", "1f3c3-200d-2640", "1f3c3-1f3fd-200d-2642"], "1f3c3"),  # running
        (["1f9d1-200d-1f692", "1f469-200d-1f692", "1f468-1f3ff-200d-1f692"], "1f9d1-200d-1f692"),  # firefighters
        (["1f934", "1f478", "1fac5"], "1fac5"),  # prince, princess, person with crown
        (["1f468-200d-1f469-200d-1f466", "1f469-200d-1f467"], "1f46a"),  # families
        (["1f48f", "1f468-200d-2764-200d-1f48b-200d-1f468"], "1f48f"),  # kisses
        (["1f46b", "1f46c", "1f46d", "1f9d1-200d-1f91d-200d-1f9d1"], "1f46d"),  # holding hands
        (["2640"], "2640"),  # the sign itself
        (["1f34e"], "1f34e"),
    ],
)
def test_gender_and_tone_make_no_family(members: list[str], family: str) -> None:
    from emoji_build.concepts import family_of

    assert {family_of(member) for member in members} == {family}


def test_fluent_tones_get_the_names_of_what_they_show() -> None:
    from emoji_build.pictures import with_right_tones

    held = ("1f44d", "1f44d-1f3fb", "1f44d-1f3fc", "1f44d-1f3fd", "1f48f-1f3fc", "1f6b5", "1f6b5-1f3fb")
    right = with_right_tones({name: name.upper for name in held})
    assert {name: draw() for name, draw in right.items()} == {
        "1f44d": "1F44D",
        "1f44d-1f3fb": "1F44D-1F3FB",
        "1f44d-1f3fd": "1F44D-1F3FC",
        "1f44d-1f3fc": "1F44D-1F3FD",
        "1f48f-1f3fc": "1F48F-1F3FC",
        "1f6b5": "1F6B5",
    }


def test_families_are_dealt_as_they_were() -> None:
    from emoji_build.concepts import Concept
    from emoji_build.splits import deal

    packed = pl.read_parquet(emoji.FILES / "concepts.parquet")
    concepts = [
        Concept(**{name: row[name] for name in Concept.__dataclass_fields__ if name != "tones"}, tones=())
        for row in packed.iter_rows(named=True)
    ]
    parts = deal(concepts)
    assert [parts[concept.family] for concept in concepts] == packed["part"].to_list()


def test_rows_are_what_is_packed() -> None:
    from emoji_build.concepts import Concept
    from emoji_build.splits import rows_of

    packed = pl.read_parquet(emoji.FILES / "samples.parquet")
    apple = Concept("1f34e", "🍎", "red apple", (), "food & drink", "", "none", "1f34e", ())
    filmed = packed.filter((pl.col("concept") == "1f34e") & pl.col("film").is_not_null()).height > 0
    part = pl.read_parquet(emoji.FILES / "concepts.parquet").filter(pl.col("hexcode") == "1f34e")["part"][0]
    for row in rows_of(apple, part, spoken=True, filmed=filmed):
        assert packed.filter(pl.col("id") == row.id).row(0, named=True)["clip"] == row.clip
        assert packed.filter(pl.col("id") == row.id).row(0, named=True)["split"] == row.split


def test_speech_is_packed_without_chance_and_whole(tmp_path: Path) -> None:
    from emoji_build.speech import DELAY, FRAME, RATE_HZ, encode

    for length in (FRAME * 9 - DELAY, FRAME * 9 - DELAY + 1, FRAME * 9, 12_345):  # the ends of a frame once broke
        sound = 0.3 * np.sin(np.arange(length) / 7)
        data = encode(sound)
        assert data == encode(sound)
        path = tmp_path / "clip.ogg"
        path.write_bytes(data)
        back, rate_hz = soundfile.read(path)
        assert rate_hz == RATE_HZ and 0 <= len(back) - length <= FRAME + DELAY
        assert abs(np.sqrt(np.mean(back[1000:8000] ** 2)) - 0.3 / np.sqrt(2)) < 0.03


def test_a_share_is_the_same_everywhere() -> None:
    from emoji_build.concepts import share

    assert share("1f34e", "part") == 0xF3626322E7540988 / 2**64  # printf part:1f34e | sha256sum
