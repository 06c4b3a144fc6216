"""What prepares a model's inputs, without torchvision: pictures by Pillow and numpy, whatever class a checkpoint names.

The library's processors for models that take films cannot be built where torchvision is not installed; here such a
processor is put together without its part for films, and a film is shown as pictures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.types import MediaError, Sample

CLASS_FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
VOCABULARIES = ("tokenizer.json", "vocab.*", "*.model", "tekken.json", "*.tiktoken")
BYTES = 256
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
LOCAL = {"local_files_only": True, "trust_remote_code": False}


def tokenizer_of(folder: Path) -> Any:
    """The checkpoint's tokeniser. `ValueError` if it cannot be had."""
    from transformers import AutoTokenizer

    found = _loaded(folder, "tokeniser", lambda: AutoTokenizer.from_pretrained(folder, **LOCAL))
    # Without its files the library makes up a tokeniser that knows no words; only those of bytes need none.
    if len(found) < BYTES and not any(next(folder.glob(pattern), None) for pattern in VOCABULARIES):
        raise ValueError(f"{folder}: its tokeniser cannot be loaded: there is no tokenizer.json and no vocabulary")
    return found


def image_processor_of(folder: Path) -> Any:
    """What turns pictures into tensors: always the one that needs no torchvision. `ValueError` if it cannot be had."""
    from transformers import AutoImageProcessor

    return _loaded(
        folder, "image processor", lambda: AutoImageProcessor.from_pretrained(folder, backend="pil", **LOCAL)
    )


def feature_extractor_of(folder: Path) -> Any:
    """What turns sounds into tensors. `ValueError` if it cannot be had."""
    from transformers import AutoFeatureExtractor

    return _loaded(folder, "feature extractor", lambda: AutoFeatureExtractor.from_pretrained(folder, **LOCAL))


PARTS: Mapping[str, Callable[[Path], Any]] = {
    "tokenizer": tokenizer_of,
    "image_processor": image_processor_of,
    "feature_extractor": feature_extractor_of,
}


def processor_of(folder: Path, model_type: str) -> Any:
    """The checkpoint's processor, of the class that it names (else that of its kind of model), without a part for films."""
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    name = _named_class(folder) or PROCESSOR_MAPPING_NAMES.get(model_type)
    kind = getattr(transformers, name, None) if name else None
    if kind is None:
        raise ValueError(f"{folder}: there is no processor for a model of the type {model_type!r}")
    return _loaded(folder, f"processor ({name})", lambda: _without_films(kind).from_pretrained(folder, **LOCAL))


def _without_films(kind: Any) -> Any:
    """The class, loading its parts from here: it is the same in all else."""

    def parts(cls: Any, folder: Path, processor_dict: Any = None, **given: Any) -> list[Any]:
        return [PARTS[name](Path(folder)) if name in PARTS else None for name in cls.get_attributes()]

    return type(
        kind.__name__,
        (kind,),
        {
            "_get_arguments_from_pretrained": classmethod(parts),
            "check_argument_for_proper_class": lambda self, name, part: None,
        },
    )


def _named_class(folder: Path) -> str | None:
    for file in CLASS_FILES:
        path = folder / file
        if path.is_file():
            name = json.loads(path.read_bytes()).get("processor_class")
            if name:
                return str(name)
    return None


def _loaded(folder: Path, what: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (MemoryError, ModuleNotFoundError):
        raise
    except Exception as error:
        # The library raises OSError, ValueError, ImportError, KeyError … for what a folder lacks.
        line = " ".join(str(error).split())[:300]
        raise ValueError(f"{folder}: its {what} cannot be loaded ({type(error).__name__}: {line})") from error


def whole_text(text: object) -> str:
    """The text with \N{REPLACEMENT CHARACTER} for half characters (lone surrogates), which no tokeniser takes.

    >>> whole_text("red \\ud800") == "red \N{REPLACEMENT CHARACTER}"
    True
    """
    return HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", str(text))


def picture(sample: Sample) -> Image.Image:
    """The sample's picture. Raises `MediaError` when it is broken."""
    value = sample.inputs["image"]
    if isinstance(value, str):
        raise MediaError(f"sample {sample.id!r}: a picture was expected, got a text")
    return Image.fromarray(value.load())


def sound(sample: Sample, rate_hz: int) -> NDArray[np.float32]:
    """The sample's sound at a rate. Raises `MediaError` when it is broken."""
    from assay.data.media import Audio

    value = sample.inputs["audio"]
    if not isinstance(value, Audio):
        raise MediaError(f"sample {sample.id!r}: a sound was expected, got {type(value).__name__}")
    return value.load(rate_hz=rate_hz)


def frames(sample: Sample, count: int) -> list[Image.Image]:
    """At most ``count`` pictures of the sample's film, evenly spaced, its first and last among them."""
    value = sample.inputs["video"]
    if isinstance(value, str):
        raise MediaError(f"sample {sample.id!r}: a film was expected, got a text")
    film = value.load()
    places = np.unique(np.linspace(0, len(film) - 1, min(count, len(film))).round().astype(int))
    return [Image.fromarray(film[place]) for place in places]


def expect(name: str, samples: Sequence[Sample], wanted: Sequence[str]) -> None:
    """`ValueError` for a sample that has none of the modalities."""
    for sample in samples:
        if not any(one in sample.inputs for one in wanted):
            has = ", ".join(sample.modalities) or "nothing"
            raise ValueError(f"sample {sample.id!r} has {has}, {name} needs {' or '.join(wanted)}")
