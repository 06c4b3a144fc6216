"""``hf:NAME_OR_FOLDER``: which family a checkpoint belongs to, by the class that its configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assay.models.hub.checkpoint import Checkpoint, code_of_its_own, opened
from assay.types import Model

SUPPORTED = (
    "encoders of pictures, sounds and texts in one space (CLIP, SigLIP, CLAP …), classifiers of pictures, texts and sounds,"
    " captioners and question answerers (BLIP, GIT …), chat models (LLaVA, Qwen2-VL …), language models,"
    " recognisers of speech (Whisper, wav2vec 2.0 with CTC …), encoders of one modality (ViT, DINOv2, BERT …)"
)
RECOGNISERS = (
    "WhisperForConditionalGeneration",
    "Speech2TextForConditionalGeneration",
    "MoonshineForConditionalGeneration",
    "SpeechEncoderDecoderModel",
)
TWO_TOWERS = ("get_text_features", "get_image_features", "get_audio_features")


def load_hub(spec: str) -> Model:
    """The model behind ``hf:NAME_OR_FOLDER?options`` (`assay.models.hub.options.Options`).

    `ValueError` in one line for a model that is not there or incomplete, needs code of its own, or is of no family.
    """
    checkpoint = opened(spec, kind_of)
    made = family_of(checkpoint.kind)
    assert made is not None, "a kind without a family is refused before its weights are read"
    return made(checkpoint)


def kind_of(folder: Path, config: Mapping[str, Any]) -> str:
    """The class of the Transformers library that a checkpoint is of. `ValueError` for one of no family."""
    import transformers
    from transformers import CONFIG_MAPPING

    if config["model_type"] not in CONFIG_MAPPING:
        if config.get("auto_map"):
            raise ValueError(code_of_its_own(folder))
        raise ValueError(
            f"{folder} is of the type {config['model_type']!r}, which Transformers {transformers.__version__} does not know"
        )
    named = config.get("architectures") or [_plain_kind(str(config["model_type"]))]
    kind = str(named[0]) if named[0] else ""
    if getattr(transformers, kind or "-", None) is None or family_of(kind) is None:
        raise ValueError(
            f"{folder} is a {kind or config['model_type']}, which hf: does not support. It takes {SUPPORTED}; any other model"
            " can be called from a function of your own, given as py:file.py:function"
        )
    return kind


def family_of(kind: str) -> Callable[[Checkpoint], Model] | None:
    """What makes a model of a checkpoint of this class, or None."""
    import transformers
    from transformers.models.auto import modeling_auto as auto

    from assay.models.hub.captioners import KINDS, Captioner
    from assay.models.hub.chat import ChatModel
    from assay.models.hub.classifiers import Classifier
    from assay.models.hub.contrastive import ContrastiveModel
    from assay.models.hub.encoders import Encoder, encodes
    from assay.models.hub.speech import Recogniser

    def among(*names: str) -> bool:
        return any(kind in _classes(getattr(auto, f"MODEL_FOR_{name}_MAPPING_NAMES")) for name in names)

    if kind in KINDS:
        return Captioner
    if kind in RECOGNISERS or among("CTC"):
        return lambda checkpoint: Recogniser(checkpoint, ctc=kind not in RECOGNISERS)
    for modality, name in (
        ("image", "IMAGE_CLASSIFICATION"),
        ("text", "SEQUENCE_CLASSIFICATION"),
        ("audio", "AUDIO_CLASSIFICATION"),
    ):
        if among(name):
            return lambda checkpoint, modality=modality: Classifier(checkpoint, modality)
    if among("IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM"):
        return ChatModel
    if among("CAUSAL_LM"):
        return lambda checkpoint: ChatModel(checkpoint, blind=True)
    towers = [callable(getattr(getattr(transformers, kind), name, None)) for name in TWO_TOWERS]
    if towers[0] and any(towers[1:]):
        return ContrastiveModel
    return Encoder if encodes(kind) else None


def _classes(names: Mapping[str, Any]) -> set[str]:
    out: set[str] = set()
    for value in names.values():
        out.update((value,) if isinstance(value, str) else value)
    return out


def _plain_kind(model_type: str) -> str:
    """The class without a head, for a configuration that names none."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    found = MODEL_MAPPING_NAMES.get(model_type, "")
    return found if isinstance(found, str) else str(found[0])
