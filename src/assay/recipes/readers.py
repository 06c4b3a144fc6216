"""Picture readers that start from shipped weights instead of from nothing."""

from __future__ import annotations

from torch import nn

from assay.models.aligned import Aligned
from assay.models.encoders.cnn import ImageEncoder, PictureGrid
from assay.models.native import load_shipped

SCRATCH, SHIPPED = "scratch", "assay:aligned"


def start_pictures(reader: nn.Module, encoder: str) -> str:
    """Give a picture reader (or its grid alone) the weights of a shipped model's, or leave it as it is (``scratch``).

    Returns what it started from, with the fingerprint, for the run's settings. `ValueError` for anything else, and for a
    reader of other sizes.
    """
    if encoder == SCRATCH:
        return encoder
    if encoder != SHIPPED:
        raise ValueError(f"encoder is {SHIPPED} or {SCRATCH}, not {encoder!r}")
    model = load_shipped(encoder)
    assert isinstance(model.net, Aligned), "it is trained by contrast"
    tower = model.net.towers["image"]
    assert isinstance(tower, ImageEncoder)
    kept = (tower.grid if isinstance(reader, PictureGrid) else tower).state_dict()
    expected = reader.state_dict()
    differ = {*kept} ^ {*expected}
    wrong = differ | {name for name in {*kept} & {*expected} if kept[name].shape != expected[name].shape}
    if wrong:
        raise ValueError(
            f"the picture reader of {encoder} does not fit: {sorted(wrong)[0]} differs; use encoder={SCRATCH}"
        )
    reader.load_state_dict(kept)
    return f"{encoder}@{model.fingerprint[:12]}"
