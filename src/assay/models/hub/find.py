"""Where a model's files are: a folder of one's own, the cache of the Hugging Face hub, or, where there is a network, the hub."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from assay.catalog import nearest

CONFIG = "config.json"
WEIGHTS = ("*.safetensors", "*.bin")
PARTS = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "tokenizer*")
OLD_PARTS = ("*.bin",)
DECISIVE = {".json", ".safetensors", ".bin", ".txt", ".model", ".jinja", ".tiktoken"}
BLOCK = 1 << 22


def find_folder(name: str, revision: str = "") -> Path:
    """The folder that holds the model's files. `ValueError` in one line where there is none and none can be had."""
    if Path(name).is_dir():
        return _complete(Path(name), name)
    if Path(name).exists() or name.startswith((".", "/", "~")) or name.count("/") > 1:
        neighbours = [str(one) for one in Path(name).parent.glob("*") if one.is_dir()]
        raise ValueError(f"there is no folder {name}: {nearest(name, neighbours)}")
    cached = _cached(name, revision)
    return _downloaded(name, revision) if cached is None else cached


def read_config(folder: Path) -> dict[str, Any]:
    """What ``config.json`` says. `ValueError` for one that cannot be read."""
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{folder / CONFIG} cannot be read: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ValueError(
            f"{folder / CONFIG} names no model_type: it is no model of the Transformers library"
            " (a model that assay trained is loaded by its folder alone, without hf:)"
        )
    return config


def fingerprint(folder: Path) -> str:
    """A hash of the bytes of every file that can decide an answer."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix not in DECISIVE or not path.is_file():
            continue
        digest.update(f"\0{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _complete(folder: Path, name: str) -> Path:
    if not (folder / CONFIG).is_file():
        raise ValueError(f"{name} holds no model of the Transformers library: it lacks {CONFIG}")
    if not _has_weights(folder):
        raise ValueError(f"{name} holds no weights: expected model.safetensors")
    return folder


def _has_weights(folder: Path) -> bool:
    return any(next(folder.glob(pattern), None) is not None for pattern in WEIGHTS)


def _cached(name: str, revision: str) -> Path | None:
    """The snapshot in the cache, if it is whole enough to be loaded."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
    except HFValidationError as error:
        raise ValueError(f"{name!r} is neither a folder nor a name of the hub (org/name): {error}") from None
    except OSError:
        return None
    return folder if (folder / CONFIG).is_file() and _has_weights(folder) else None


def _downloaded(name: str, revision: str) -> Path:
    """The snapshot, fetched: safetensors where there are any. What fails is told in one line, at once."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=list(PARTS)))
        if not _has_weights(folder):
            folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=[*PARTS, *OLD_PARTS]))
    except GatedRepoError:
        raise ValueError(f"{name} is gated: accept its terms on the hub and log in (hf auth login)") from None
    except RepositoryNotFoundError:
        raise ValueError(f"the hub has no model {name}, or it is private and nobody is logged in") from None
    except RevisionNotFoundError:
        raise ValueError(f"{name} has no revision {revision!r}") from None
    except Exception as error:
        # Transports and proxies raise what they like; all of it means that the hub was not reached.
        raise ValueError(
            f"{name} is no folder here, is not in the cache of the Hugging Face hub, and the hub cannot be reached"
            f" ({type(error).__name__}): download it where there is a network, and give its folder"
        ) from error
    return _complete(folder, name)
