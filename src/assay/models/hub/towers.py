"""The encoder inside a checkpoint, without its head: of a model with two towers one of them, of one with a decoder its encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from assay.models.hub.checkpoint import HEADLESS, code_of_its_own, loaded, quiet
from assay.models.hub.find import find_folder, read_config
from assay.models.hub.options import parsed

TAKES: Mapping[str, str] = {
    "pixel_values": "image",
    "input_ids": "text",
    "input_values": "audio",
    "input_features": "audio",
}
TOWERS: Mapping[str, tuple[str, ...]] = {
    "image": ("vision_model", "vision_tower"),
    "text": ("text_model", "language_model"),
    "audio": ("audio_model", "audio_tower"),
}


def plain_net(spec: str, modality: str = "") -> tuple[Path, nn.Module, str]:
    """Folder, encoder in eval mode and modality of ``hf:NAME_OR_FOLDER``.

    `ValueError` for a model that is not there or not whole, and for one that has no encoder of the ``modality`` (if given).
    """
    from transformers import CONFIG_MAPPING, AutoModel

    name, options = parsed(spec)
    folder = find_folder(name, options.revision)
    told = read_config(folder)
    if told["model_type"] not in CONFIG_MAPPING:
        raise ValueError(code_of_its_own(folder))
    with quiet():
        whole: Any = loaded(folder, AutoModel, HEADLESS, torch.float32)
    part = _tower(whole, modality)
    found = TAKES.get(str(getattr(part, "main_input_name", "")), "")
    if not found or modality not in ("", found):
        raise ValueError(
            f"{spec} has no encoder of {modality or 'pictures, texts or sounds'} that can be taken out of it"
        )
    return folder, part.eval(), found


def _tower(whole: Any, modality: str) -> Any:
    """The part that encodes a modality; the whole where it has no such parts."""
    for wanted in [modality] if modality else TOWERS:
        for name in TOWERS[wanted]:
            part = getattr(whole, name, None)
            if isinstance(part, nn.Module):
                return part
    return whole.get_encoder() if whole.config.is_encoder_decoder else whole
