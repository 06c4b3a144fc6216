"""The recipe that puts encoders trained before to use: frozen and tuned, saved, opened, measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

import assay
from assay.data.batch import Batch
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.models.tuned import Tuned, TunedSettings, preparation
from assay.recipes import tuned
from assay.training.loop import train

SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A tiny ViT and a tiny BERT whose words are letters."""
    image, text = tmp_path_factory.mktemp("vit"), tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    hf.ViTModel(hf.ViTConfig(**SIZES, image_size=32, patch_size=8), add_pooling_layer=False).save_pretrained(image)
    hf.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(image)
    letters = [chr(ord("a") + i) for i in range(26)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (text / "vocab.txt").write_text("\n".join(words))
    hf.BertModel(hf.BertConfig(**SIZES, vocab_size=len(words)), add_pooling_layer=False).save_pretrained(text)
    hf.BertTokenizer(str(text / "vocab.txt")).save_pretrained(text)
    return {"image": f"hf:{image}", "text": f"hf:{text}"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hundredth concept."""
    whole = tuned.load
    monkeypatch.setattr(tuned, "load", lambda name, split: whole(name, split).every(100))


@pytest.mark.parametrize("rank", [0, 2])
def test_trained_saved_opened_and_measured(rank: int, folders: dict[str, str], few: None, tmp_path: Path) -> None:
    recipe = tuned.emoji(steps=12, batch_size=16, lr=1e-2, rank=rank, **folders)
    before = {name: p.detach().clone() for name, p in recipe.net.named_parameters()}
    folder = train(recipe, out=tmp_path / "run")
    changed = {name for name, p in recipe.net.named_parameters() if not torch.equal(p, before[name])}
    inside = {name for name in changed if ".net." in name}
    assert changed and bool(inside) == bool(rank) and all(name.endswith((".up", ".down")) for name in inside)
    model = load_native(folder)
    assert model.modalities == {"text", "image"} and len(model.classes) == 9
    data = assay.load_dataset("emoji:test[::100]")
    scores = model.score(data.samples, model.classes)
    alone = np.concatenate([model.score([sample], model.classes) for sample in data.samples])
    np.testing.assert_allclose(scores, alone, atol=1e-4)
    run = assay.evaluate(model, data, task="classification")
    assert run.complete and run.headline.n == len(data)


def test_a_frozen_net_answers_as_from_what_was_kept(folders: dict[str, str], few: None) -> None:
    recipe = tuned.emoji(steps=1, batch_size=8, **folders)
    net, source = recipe.net, recipe.source
    assert isinstance(net, Tuned) and isinstance(source, tuned.TunedSource)
    samples = source.samples[:5]
    with torch.no_grad():
        whole = net.eval().pooled(recipe.processor.batch(samples, net.modalities))
    for name, (place, means) in source.kept.items():
        torch.testing.assert_close(whole.parts[name].values, means[place[:5]], atol=1e-5, rtol=1e-4)
    drawn = source.draw()
    assert isinstance(drawn.batch, Batch) and len(drawn.ids) == 8
    state = source.state()
    first = source.draw().labels
    source.restore(state)
    torch.testing.assert_close(source.draw().labels, first)


def test_what_cannot_be_built_is_told(folders: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no backbone was given"):
        Tuned(TunedSettings(("a", "b")))
    with pytest.raises(ValueError, match="no fusion of vectors is called 'cross_attention'"):
        Tuned(TunedSettings(("a", "b"), image=folders["image"], fusion="cross_attention"))


def test_a_processor_is_kept_with_its_encoders(tmp_path: Path) -> None:
    from assay.models.folder import read_processor, write_processor

    told = preparation({"image": "efficientnet-lite0"})
    write_processor(tmp_path, Processor(pretrained=told))
    assert tuple(read_processor(tmp_path).pretrained) == told
    write_processor(tmp_path, Processor())
    assert read_processor(tmp_path) == Processor()
