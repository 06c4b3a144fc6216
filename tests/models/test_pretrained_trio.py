"""Model, feature extractor and tokeniser as three objects; the two nets that are often drawn wrongly."""

import numpy as np
import pytest
import torch
from torch import nn

import assay
from assay.data.media import Image
from assay.models.attention import MultimodalFusion, MultiModalTransformer
from assay.models.encoders.rnn import RecurrentEncoder
from assay.models.layers import TransformerBlock
from assay.models.pretrained import MultiModalFeatureExtractor, MultiModalModel, MultiModalTokenizer
from assay.types import Sample


def picture(shade: int) -> np.ndarray:
    return np.full((40, 60, 3), shade, np.uint8)


def trio(name: str):
    return (kind.from_pretrained(name) for kind in (MultiModalModel, MultiModalFeatureExtractor, MultiModalTokenizer))


@pytest.mark.parametrize("name", ["assay:fused", "assay:joint"])
def test_a_classifier_answers_as_the_model_it_is(name: str) -> None:
    model, extract, tokenize = trio(name)
    out = model(**extract(images=[picture(30), picture(200)]), **tokenize(["red apple", "dog"]))
    assert out.loss is None and out.last_hidden_state.shape[0] == 2
    samples = [Sample(str(s), {"image": Image(picture(s)), "text": t}) for s, t in ((30, "red apple"), (200, "dog"))]
    scores = assay.load_model(name).score(samples, model.classes)
    torch.testing.assert_close(out.logits.log_softmax(1), torch.from_numpy(scores), atol=1e-5, rtol=1e-5)
    asked = model(**tokenize(["red apple", "dog"]), labels=torch.tensor([0, 1]))
    torch.testing.assert_close(asked.loss, nn.functional.cross_entropy(asked.logits, torch.tensor([0, 1])))


def test_aligned_towers_give_similarities_and_a_loss_when_asked() -> None:
    model, extract, tokenize = trio("assay:aligned")
    given = {**extract(images=[picture(30), picture(200)]), **tokenize(["night", "snow"])}
    quiet, asked = model(**given), model(**given, return_loss=True)
    assert quiet.loss is None and quiet.logits.shape == (2, 2) and set(quiet.embeds) == {"image", "text"}
    assert float(asked.loss.detach()) > 0
    asked.loss.backward()
    assert all(p.grad is not None for p in model.net.towers["image"].parameters())
    alone = model(**tokenize("night"))
    assert alone.logits is None and alone.last_hidden_state.shape == (1, 128)
    with pytest.raises(ValueError, match="two modalities"):
        model(**tokenize("night"), return_loss=True)
    with pytest.raises(ValueError, match="no classes"):
        model(**given, labels=torch.tensor([0, 1]))


def test_saved_and_opened_again(tmp_path) -> None:
    model, extract, tokenize = trio("assay:fused")
    with torch.no_grad():
        model.net.head.bias.add_(1.0)
    model.save_pretrained(tmp_path / "m")
    again, extract_again, _ = trio(tmp_path / "m")
    given = extract(images=picture(90))
    assert torch.equal(given["pixel_values"], extract_again(images=[picture(90)])["pixel_values"])
    torch.testing.assert_close(again(**given).logits, model(**given).logits, atol=2e-2, rtol=1e-2)
    assert assay.load_model(tmp_path / "m").classes == model.classes
    extract.save_pretrained(tmp_path / "only")
    assert MultiModalFeatureExtractor.from_pretrained(tmp_path / "only") == extract
    assert tokenize.save_pretrained(tmp_path / "only")


def test_what_the_trio_refuses(tmp_path) -> None:
    model, extract, tokenize = trio("assay:fused")
    with pytest.raises(ValueError, match="at least one of pixel_values"):
        model()
    with pytest.raises(ValueError, match="equal numbers of rows"):
        model(**extract(images=[picture(1)]), **tokenize(["a", "b"]))
    with pytest.raises(ValueError, match="labels int64.1. in 0 … 8 were expected"):
        model(**tokenize("a"), labels=torch.tensor([9]))
    with pytest.raises(ValueError, match="needs labels"):
        model(**tokenize("a"), return_loss=True)
    with pytest.raises(ValueError, match="nothing to extract"):
        extract()
    with pytest.raises(ValueError, match="hashes words"):
        tokenize.decode(torch.zeros(1, 1))
    with pytest.raises(ValueError, match="lacks"):
        MultiModalModel.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="lacks processor.json"):
        MultiModalTokenizer.from_pretrained(tmp_path)


def test_over_one_token_attention_is_deaf_and_the_repaired_fusion_is_not() -> None:
    torch.manual_seed(0)
    image, text = torch.randn(4, 8), torch.randn(4, 6)
    deaf = nn.MultiheadAttention(8, 1, batch_first=True)
    asks = nn.Linear(6, 8)
    heard = [deaf(asks(t)[:, None], image[:, None], image[:, None])[0] for t in (text, 100 * text)]
    assert torch.equal(*heard)  # the text has exactly no influence
    fusion = MultimodalFusion(8, 6, 16)
    out = fusion(image, text)
    assert out.shape == (4, 16)
    assert float((fusion(image, text.flip(0)) - out).detach().abs().max()) > 1e-3
    assert float((fusion(image.flip(0), text) - out).detach().abs().max()) > 1e-3


def test_the_fusion_takes_sequences_masks_and_missing_modalities() -> None:
    torch.manual_seed(0)
    fusion = MultimodalFusion(8, 6, 16)
    image, text, mask = torch.randn(3, 9, 8), torch.randn(3, 5, 6), torch.ones(3, 5, dtype=torch.bool)
    mask[:, 3:] = False
    changed = text.clone()
    changed[:, 3:] = 9.0
    torch.testing.assert_close(fusion(image, text, text_mask=mask), fusion(image, changed, text_mask=mask))
    assert bool(torch.isfinite(fusion(image, None)).all()) and bool(torch.isfinite(fusion(None, text)).all())
    torch.testing.assert_close(fusion(image, None), fusion(image, text, text_mask=torch.zeros_like(mask)))
    fusion(image, text).square().sum().backward()
    assert [n for n, p in fusion.named_parameters() if p.grad is None] == []
    with pytest.raises(ValueError, match="neither"):
        fusion(None, None)
    with pytest.raises(ValueError, match="MultimodalFusion expects a tensor .3, tokens, 8., got .3, 9, 7."):
        fusion(image[..., :7], text)
    with pytest.raises(ValueError, match="text_mask"):
        fusion(image, text, text_mask=mask[:, :2])


class Blocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = TransformerBlock(16, 4)

    def forward(self, tokens, mask):
        return self.block(tokens, mask)


@pytest.mark.parametrize("kind", ["torch", "masked", "plain"])
def test_the_transformer_of_four_parts(kind: str) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0.0)
    fuse = {
        "torch": nn.TransformerEncoder(layer, 1, enable_nested_tensor=False),
        "masked": Blocks(),
        "plain": nn.Linear(16, 16),
    }
    model = MultiModalTransformer(nn.Linear(10, 16), RecurrentEncoder(16, vocabulary=9), fuse[kind], nn.Linear(16, 3))
    image, text = torch.randn(2, 4, 10), torch.tensor([[3, 4, 0], [5, 6, 7]])
    out = model(image, text)
    assert out.shape == (2, 3)
    assert float((model(image, text.flip(0)) - out).detach().abs().max()) > 1e-4
    assert model(None, text).shape == model(image, None).shape == (2, 3)
    out.sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    with pytest.raises(ValueError, match="neither"):
        model(None, None)
    wrong = MultiModalTransformer(nn.Linear(10, 8), RecurrentEncoder(16, vocabulary=9), fuse[kind], nn.Linear(16, 3))
    with pytest.raises(ValueError, match="one width"):
        wrong(image, text)
