"""What ``hf:`` refuses, and how it says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from assay import verbs
from assay.models.hub import find
from assay.models.hub.chat import ChatModel
from assay.models.hub.load import load_hub
from assay.types import Sample


@pytest.fixture
def copied(clip_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(clip_folder, tmp_path / "copied")


def edit(folder: Path, file: str = "config.json", **changes: object) -> None:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_an_architecture_of_no_family_is_refused_with_what_there_is(copied: Path) -> None:
    edit(copied, architectures=["DetrForObjectDetection"])
    with pytest.raises(ValueError, match=r"is a DetrForObjectDetection, which hf: does not support.*LLaVA.*py:file"):
        load_hub(f"hf:{copied}")


def test_a_type_that_the_library_does_not_know(copied: Path) -> None:
    edit(copied, model_type="newest_model")
    with pytest.raises(ValueError, match=r"of the type 'newest_model', which Transformers 5\.\S+ does not know"):
        load_hub(f"hf:{copied}")


def test_code_that_comes_with_a_model_is_never_run(copied: Path) -> None:
    (copied / "own.py").write_text("raise SystemExit('this was run')")
    edit(copied, model_type="own", auto_map={"AutoConfig": "own.Config", "AutoModel": "own.Net"})
    with pytest.raises(ValueError, match="needs code that comes with it, which is not run here.*py:file"):
        load_hub(f"hf:{copied}")


def test_missing_weights_are_not_made_up(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    weights.pop("visual_projection.weight")
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks 1 weights of CLIPModel \(visual_projection.weight\): these would be"):
        load_hub(f"hf:{copied}")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "config.json").unlink(), "it lacks config.json"),
        (lambda f: (f / "model.safetensors").unlink(), "holds no weights"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "config.json").write_text("[1]"), "names no model_type"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x08broken"), "weights cannot be loaded as CLIPModel"),
        (lambda f: [one.unlink() for one in f.glob("tokenizer*")], "its tokeniser cannot be loaded"),
        (lambda f: edit(f, vision_config={"hidden_size": 17}), "its configuration cannot be read"),
        (lambda f: edit(f, projection_dim=13), "cannot be loaded as CLIPModel"),
    ],
)
def test_a_broken_folder_is_told_in_one_line(copied: Path, spoil: object, says: str) -> None:
    spoil(copied)  # type: ignore[operator]
    with pytest.raises(ValueError, match=says) as told:
        load_hub(f"hf:{copied}")
    assert "\n" not in str(told.value)


def test_a_processor_that_needs_torchvision_is_replaced(copied: Path) -> None:
    same = load_hub(f"hf:{copied}").fingerprint
    told = json.loads((copied / "processor_config.json").read_text())
    told["image_processor"]["image_processor_type"] = "CLIPImageProcessorFast"
    (copied / "processor_config.json").write_text(json.dumps(told))
    model = load_hub(f"hf:{copied}")
    assert type(model.extractor).__name__ == "CLIPImageProcessorPil"
    assert model.fingerprint != same


def test_a_name_that_is_nowhere_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    asked = []

    def unreachable(name: str, local_files_only: bool = False, **given: object) -> str:
        asked.append(local_files_only)
        raise (FileNotFoundError if local_files_only else ConnectionError)("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ValueError, match="not in the cache of the Hugging Face hub, and the hub cannot be reached"):
        verbs.load_model("hf:openai/clip-vit-base-patch32")
    assert asked == [True, False]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="there is no folder ./nothing"):
        verbs.load_model("hf:./nothing")


def test_a_snapshot_in_the_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch, clip_folder: Path) -> None:
    import huggingface_hub

    def cached(name: str, local_files_only: bool = False, **given: object) -> str:
        assert local_files_only, "the network was asked"
        return str(clip_folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    assert verbs.load_model("hf:org/clip").name == "hf:org/clip"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("hf:", "names no model"),
        ("hf:x?bach=2", "did you mean batch"),
        ("hf:x?batch=two", "a whole number"),
        ("hf:x?batch=0", "at least 1"),
        ("hf:x?dtype=int3", "dtype must be auto"),
        ("hf:x?prompt=no place", "holds {} once"),
        ("hf:x?beams", "expected beams=VALUE"),
    ],
)
def test_options_that_cannot_be_read(spec: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load_hub(spec)


def test_a_device_that_is_not_there(clip_folder: Path) -> None:
    with pytest.raises(ValueError, match="device 'warp' cannot be used"):
        load_hub(f"hf:{clip_folder}?device=warp")


def test_half_precision_is_near_full_precision(llama_folder: Path) -> None:
    samples = [Sample("a", {"text": "what colour?"})]
    half, full = load_hub(f"hf:{llama_folder}?dtype=bfloat16"), load_hub(f"hf:{llama_folder}")
    assert half.facts().bytes * 2 == full.facts().bytes
    assert half.fingerprint != full.fingerprint
    assert abs(half.score(samples, ["a", "b"]) - full.score(samples, ["a", "b"])).max() < 0.5


def test_out_of_memory_names_a_batch_size(llama_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_hub(f"hf:{llama_folder}?batch=8")
    assert isinstance(model, ChatModel)

    def full(**given: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(model.checkpoint.net, "generate", full)
    with pytest.raises(MemoryError, match=r"a batch of 6 does not fit into memory; try \?batch=3"):
        model.generate([Sample(str(i), {"text": "what?"}) for i in range(6)])


def test_the_fingerprint_is_of_the_bytes(copied: Path) -> None:
    before = find.fingerprint(copied)
    (copied / "README.md").write_text("words about it")
    assert find.fingerprint(copied) == before
    data = bytearray((copied / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copied / "model.safetensors").write_bytes(data)
    assert find.fingerprint(copied) != before
