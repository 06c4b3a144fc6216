"""A model's files in memory: the net with its weights, where it runs, what decides its answers.

Code that comes with a checkpoint is never run, and a checkpoint that lacks weights is refused: a net whose head is random
would be measured as if it had been trained.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from assay.models.answering import guarded
from assay.models.hub.find import find_folder, fingerprint, read_config
from assay.models.hub.options import SCHEME, Options, parsed
from assay.types import Facts

WINDOW = 4  # batches
HEADLESS = "an encoder"
"""What a checkpoint is loaded as when only its encoder is wanted."""

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Checkpoint:
    """A folder's net in eval mode. ``kind`` is the name of its class in the Transformers library."""

    name: str
    folder: Path
    kind: str
    config: Any
    net: nn.Module
    device: torch.device
    options: Options
    files: str

    def fingerprint(self, more: Mapping[str, Any] | None = None) -> str:
        """A hash of the files, the number format, the options that decide answers, and ``more``."""
        told = {"dtype": str(self.dtype), "options": self.options.decisive(), **(more or {})}
        return hashlib.sha256(f"{self.files}{json.dumps(told, sort_keys=True, default=str)}".encode()).hexdigest()

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return next(p.dtype for p in self.net.parameters() if p.is_floating_point())

    def facts(self) -> Facts:
        """Parameters, and bytes as they are in memory."""
        parameters = list(self.net.parameters())
        return Facts(
            parameters=sum(p.numel() for p in parameters), bytes=sum(p.numel() * p.element_size() for p in parameters)
        )

    def placed(self, values: Mapping[str, Any]) -> dict[str, Tensor]:
        """Tensors where the net is, fractions in its number format."""
        out = {}
        for name, value in values.items():
            tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
            out[name] = tensor.to(self.device, self.dtype if tensor.is_floating_point() else tensor.dtype)
        return out

    def run(self, size: int, compute: Callable[[], T]) -> T:
        """What ``compute`` gives, without gradients. `MemoryError` names the batch that was too large and what to try."""
        try:
            with quiet():
                return guarded(self.name, self.net, compute)
        except MemoryError as error:
            smaller = max(1, size // 2)
            advice = f"try ?batch={smaller}" if size > 1 else "try ?dtype=bfloat16, or a smaller model"
            raise MemoryError(f"{self.name}: a batch of {size} does not fit into memory; {advice}") from error

    def windows(self, items: Sequence[S]) -> Iterator[Sequence[S]]:
        """The items, a few batches' worth at once: enough to put like lengths together, few enough to hold their tensors."""
        size = WINDOW * self.options.batch
        for start in range(0, len(items), size):
            yield items[start : start + size]

    def batches(self, items: Sequence[S]) -> Iterator[Sequence[S]]:
        """The items, as many at once as the options say."""
        for start in range(0, len(items), self.options.batch):
            yield items[start : start + self.options.batch]


def opened(spec: str, kind_of: Callable[[Path, Mapping[str, Any]], str]) -> Checkpoint:
    """The checkpoint behind ``hf:NAME_OR_FOLDER?options``; ``kind_of`` tells the class from folder and configuration.

    `ValueError` says what is missing, unreadable, or needs code of its own.
    """
    import transformers

    name, options = parsed(spec)
    folder = find_folder(name, options.revision)
    told = read_config(folder)
    kind = kind_of(folder, told)
    device = _device(options.device)
    with quiet():
        config = _configuration(folder)
        net = loaded(folder, getattr(transformers, kind), kind, _dtype(options.dtype, device))
        net = net.to(device).eval()
    return Checkpoint(
        _short(name, spec.partition("?")[2]), folder, kind, config, net, device, options, fingerprint(folder)
    )


def _short(name: str, given: str) -> str:
    """For tables: a folder's own name, a name of the hub as it is, with the options that were given."""
    return f"{SCHEME}{Path(name).resolve().name if Path(name).is_dir() else name}{'?' if given else ''}{given}"


def _configuration(folder: Path) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise ValueError(f"{folder}: its configuration cannot be read ({_line(error)})") from error


def loaded(folder: Path, kind: Any, what: str, dtype: torch.dtype | str) -> nn.Module:
    """The net with its weights, by a class of the library's. `ValueError` for weights that are missing, of another shape, or broken."""
    try:
        net, told = kind.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, local_files_only=True, trust_remote_code=False
        )
    except (MemoryError, ImportError):
        raise
    except Exception as error:
        raise ValueError(f"{folder}: the weights cannot be loaded as {what} ({_line(error)})") from error
    # Encoders are often kept without their pooler; only a picture's is ever looked at.
    spare = "\0" if net.main_input_name == "pixel_values" and what != HEADLESS else "pooler."
    missing = sorted(name for name in told["missing_keys"] if not name.startswith(spare))
    if missing:
        few = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        raise ValueError(f"{folder} lacks {len(missing)} weights of {what} ({few}): these would be random")
    found: nn.Module = net
    return found


def _device(wanted: str) -> torch.device:
    try:
        device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"the device {wanted!r} cannot be used here: {_line(error)}") from None
    return device


def _dtype(wanted: str, device: torch.device) -> torch.dtype | str:
    if wanted == "auto":
        return torch.float32 if device.type == "cpu" else "auto"
    found: torch.dtype = getattr(torch, wanted)
    return found


def code_of_its_own(folder: Path) -> str:
    """What to say of a checkpoint that brings code along."""
    return (
        f"{folder} needs code that comes with it, which is not run here: read that code, and if you trust it,"
        " call the model in a function of your own and give it as py:file.py:function"
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within, the Transformers library neither warns nor draws bars: what matters is raised."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _line(error: BaseException) -> str:
    """An exception in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
