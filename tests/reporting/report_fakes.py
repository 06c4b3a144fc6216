"""A report such as real runs give, small, with pictures, a sound and an animation."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from assay.data import encode
from assay.reporting.content import (
    BASELINE,
    BEST,
    MODEL,
    WORST,
    Answer,
    Clip,
    Contrast,
    Cost,
    DataCard,
    Example,
    Fact,
    Failure,
    Incomplete,
    ModelCard,
    ReportContent,
    RunCard,
    Score,
)
from assay.types import Estimate

VALUES = {"joint": (0.742, 0.611), "aligned": (0.701, 0.634), "baseline:chance": (0.111, 0.109)}
SPLITS = {"emoji:test": 812, "emoji:test-concepts": 228}
NAN = math.nan


def picture(seed: int = 0, size_px: int = 24) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size_px, size_px, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP")
    return out.getvalue()


def animation() -> bytes:
    frames = np.random.default_rng(1).integers(0, 255, (4, 16, 16, 3), dtype=np.uint8)
    return encode.animated_webp(frames, 8)


def sound() -> bytes:
    return encode.flac(np.sin(np.arange(800) / 8).astype(np.float32), 16000)


def estimate(value: float, n: int = 100, metric: str = "accuracy", **names) -> Estimate:
    return Estimate(metric, value, value - 0.03, value + 0.03, n, signature=f"{metric}|wilson|assay:0.1.0", **names)


def scores() -> list[Score]:
    found = []
    for model, values in VALUES.items():
        for (data, n), value in zip(SPLITS.items(), values, strict=True):
            about = (model, "classification", data)
            found += [
                Score(*about, estimate(value, n), headline=True),
                Score(*about, estimate(value - 0.05, n, "macro_f1")),
                *(
                    Score(*about, estimate(value - 0.2, n, condition=c), headline=True)
                    for c in ("only:image", "drop:audio")
                ),
                *(
                    Score(*about, estimate(value + 0.02, n // 2, slice=f"style={s}"), headline=True)
                    for s in ("noto", "fluent")
                ),
            ]
    nothing = Estimate("accuracy", NAN, NAN, NAN, 0, 4, slice="style=twemoji", signature="accuracy|wilson|assay:0.1.0")
    found.append(Score("joint", "classification", "emoji:test", nothing, headline=True))
    rank = Estimate("median_rank", 12.0, 9.0, 15.5, 200, 3, signature="median_rank|bca|assay:0.1.0")
    found.append(
        Score("aligned", "retrieval", "emoji:test", rank, headline=True, better="lower", bounds=(1.0, math.inf))
    )
    return found


def contrasts() -> list[Contrast]:
    pair = {"task": "classification", "metric": "accuracy", "a": "joint", "b": "aligned", "unit": "concept"}
    return [
        Contrast(
            **pair,
            data="emoji:test",
            difference=0.041,
            low=0.01,
            high=0.07,
            p=0.01,
            p_holm=0.02,
            n=812,
            winner="joint",
            family=2,
        ),
        Contrast(
            **pair,
            data="emoji:test-concepts",
            difference=-0.023,
            low=-0.07,
            high=0.03,
            p=0.4,
            p_holm=0.4,
            n=228,
            n_needed=8400,
            family=2,
        ),
    ]


def examples() -> list[Example]:
    found = []
    for kind, right in ((WORST, False), (BEST, True)):
        answers = (Answer("animals", 0.9, right), Answer("food & drink", 0.06, not right, Clip(picture(3), "a dish")))
        clips = (
            Clip(picture(2), "picture of a red apple"),
            Clip(sound(), "spoken name"),
            Clip(animation(), "a dance", picture(4)),
        )
        found.append(
            Example(
                "joint",
                "classification",
                "emoji:test",
                f"1f34e/{kind}",
                kind,
                "food & drink",
                answers,
                text="fruit | red",
                clips=clips,
                rank=2,
                note="among 9",
            )
        )
    return found


def make() -> ReportContent:
    cards = tuple(
        ModelCard(name, BASELINE if name.startswith("baseline") else MODEL, "takes text, image") for name in VALUES
    )
    data = tuple(
        DataCard(name, n, "a description", "CC-BY-4.0", "a source", "9b1c", ("text", "image"))
        for name, n in SPLITS.items()
    )
    return ReportContent(
        title="joint and aligned on emoji",
        models=cards,
        data=data,
        scores=tuple(scores()),
        contrasts=tuple(contrasts()),
        costs=(
            Cost("joint", "classification", "emoji", 0.012, 0.019, 92.3, 612e6, 2.4e6, 4.9e6),
            Cost("aligned", "classification", "emoji", 0.004, None),
        ),
        examples=tuple(examples()),
        incomplete=(
            Incomplete(
                "aligned", "retrieval", "emoji", 640, 3, (Failure("1f4a9", "media: a broken file", "only:audio"),)
            ),
        ),
        runs=(
            RunCard(
                "joint", "classification", "emoji", "assay evaluate assay:joint emoji", (Fact("machine", "2 cpus"),)
            ),
        ),
        commands=("assay demo --out assay-demo",),
        made="22 November 2026",
    )
