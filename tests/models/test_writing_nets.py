"""One contract over the encoders, nets and models that answer: shapes, gradients, missing modalities, batches, bits, types,
what is kept on disk."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from assay.data.batch import Batch, Part
from assay.losses.caption import caption
from assay.losses.classify import classify
from assay.models.bpe import END, PAD, train_bpe
from assay.models.encoders.rnn import CELLS, RecurrentEncoder
from assay.models.encoders.vit import VisionTransformer
from assay.models.folder import save_native
from assay.models.generation import Decoding
from assay.models.generative import GenerativeModel
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.models.vqa import Vqa, VqaSettings
from assay.types import Classifies, Embeds, Generates, HasFacts, Reasons, Sample, Scores

ANSWERS = ("yes", "no", "red", "blue")
QUESTIONS = ["is it red?", "what colour is the shape?", "", "红色的吗？"]
BPE = train_bpe([*QUESTIONS, *ANSWERS] * 2, 280)
PX = 32


def pictures(n: int) -> Tensor:
    return torch.rand(n, 3, PX, PX, generator=torch.Generator().manual_seed(1))


def questions(n: int) -> Tensor:
    return BPE.batch(QUESTIONS[:n], 32)


def batch(image: list[int], text: list[int], n: int = 4) -> Batch:
    values = {"image": (image, pictures), "text": (text, questions)}
    parts = {name: Part(torch.tensor(rows), make(n)[rows]) for name, (rows, make) in values.items() if rows}
    return Batch(tuple("abcd"[:n]), parts)


def full() -> Batch:
    return batch([0, 1, 2, 3], [0, 1, 2, 3])


def vqa(fusion: str = "concat", cell: str = "gru") -> Vqa:
    return Vqa(VqaSettings(ANSWERS, BPE.size, fusion=fusion, cell=cell, dim=16, image_widths=(8, 16), text_width=8))


def vlm(attach: str = "prefix", reader: str = "cnn", **more: bool) -> VisionLanguage:
    sizes = {
        "size_px": PX,
        "image_widths": (8, 16, 16),
        "patch_px": 8,
        "dim": 32,
        "layers": 2,
        "heads": 2,
        "max_tokens": 6,
    }
    return VisionLanguage(
        VlmSettings(BPE.size, attach=attach, reader=reader, skills=("ask", "describe"), **sizes, **more)
    )


NETS: dict[str, Callable[[], nn.Module]] = {
    "vqa": vqa,
    "vqa-lstm-gated": lambda: vqa("gated", "lstm"),
    "vqa-cross": lambda: vqa("cross_attention"),
    "vlm-prefix-cnn": vlm,
    "vlm-cross-cnn": lambda: vlm("cross"),
    "vlm-prefix-vit": lambda: vlm(reader="vit"),
    "vlm-cross-vit": lambda: vlm("cross", "vit"),
    "vlm-evidence": lambda: vlm(evidence=True),
}
ENCODERS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], Tensor]]] = {
    "vit": (lambda: VisionTransformer(16, size_px=PX, width=32, layers=2), pictures),
    **{
        cell: (lambda cell=cell: RecurrentEncoder(16, vocabulary=BPE.size, width=8, cell=cell), questions)
        for cell in CELLS
    },
}


@pytest.fixture(params=list(NETS))
def net(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return NETS[request.param]()


@pytest.fixture
def model(net: nn.Module, tmp_path: Path) -> GenerativeModel:
    folder = save_native(tmp_path / "model", net, Processor(size_px=PX, longest_text=16, bpe=BPE))
    opened = load_native(folder)
    assert isinstance(opened, GenerativeModel)
    return opened


@pytest.mark.parametrize("name", list(ENCODERS))
def test_encoders_give_one_vector_alone_as_in_a_batch_and_every_weight_learns(name: str) -> None:
    torch.manual_seed(0)
    make, values = ENCODERS[name]
    encoder = make()
    out = encoder(values(4))
    assert out.shape == (4, 16) and out.dtype == torch.float32 and bool(torch.isfinite(out).all())
    (out * torch.linspace(1, 2, 64).view(4, 16)).sum().backward()
    assert [n for n, p in encoder.named_parameters() if p.grad is None] == []
    encoder.eval()
    alone = torch.cat([encoder(values(4)[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(alone, encoder(values(4)), atol=1e-5, rtol=1e-4)


def test_padding_says_nothing_to_a_recurrent_encoder() -> None:
    torch.manual_seed(0)
    for cell in CELLS:
        encoder = RecurrentEncoder(8, vocabulary=20, width=8, cell=cell).eval()
        torch.testing.assert_close(encoder(torch.tensor([[5, 6, 0, 0]])), encoder(torch.tensor([[5, 6]])))
        assert not torch.allclose(encoder(torch.tensor([[5, 6]])), encoder(torch.tensor([[6, 5]])))


def test_a_wrong_shape_names_the_module_what_it_expects_and_what_came() -> None:
    with pytest.raises(ValueError, match=r"PatchTokens expects a tensor \[n, 3, 32, 32\], got \[2, 3, 48, 48\]"):
        VisionTransformer(8, size_px=32)(torch.zeros(2, 3, 48, 48))
    with pytest.raises(ValueError, match=r"PatchTokens expects a size that patches divide, got 50 px and 8 px"):
        VisionTransformer(8, size_px=50)
    with pytest.raises(ValueError, match=r"RecurrentEncoder expects a tensor \[n, t\], got \[2, 3, 14\]"):
        RecurrentEncoder(8, vocabulary=9)(torch.zeros(2, 3, 14, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"VisionLanguage expects a tensor \[n, 3, 32, 32\], got \[1, 32, 32, 3\]"):
        vlm().picture_tokens(torch.zeros(1, 32, 32, 3))
    with pytest.raises(ValueError, match=r"Vqa expects a tensor \[n, 3, height, width\], got \[1, 1, 32, 32\]"):
        vqa().read("image", torch.zeros(1, 1, 32, 32))


@pytest.mark.parametrize(
    "make", [lambda: vqa("gatd"), lambda: vqa(cell="gruu"), lambda: vlm("prefx"), lambda: vlm(reader="vitt")]
)
def test_an_unknown_part_tells_the_nearest(make: Callable[[], nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"did you mean (gated|gru|prefix|vit)"):
        make()


def logits_of(net: nn.Module, given: Batch) -> Tensor:
    return net(given) if isinstance(net, Vqa) else net.decoder.logits(net.begin(given)[0])


def test_every_weight_learns(net: nn.Module) -> None:
    logits = logits_of(net, batch([0, 1, 2], [0, 1, 3]))
    (logits * torch.linspace(1, 2, logits.numel()).view_as(logits)).sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []


def test_vectors_are_unit_and_any_modality_is_enough(net: nn.Module) -> None:
    net.eval()
    for given in (full(), batch([0, 1, 2, 3], []), batch([], [0, 1, 2, 3])):
        out = net.embed(given)
        assert out.dtype == torch.float32
        torch.testing.assert_close(out.norm(dim=1), torch.ones(4))
        assert float((out[0] - out[1]).detach().abs().max()) > 1e-6


def test_each_sample_may_have_its_own_modalities(net: nn.Module) -> None:
    net.eval()
    mixed = logits_of(net, batch([0, 2], [1, 2]))
    for rows, i in (({"image": [0]}, 0), ({"text": [1]}, 1), ({"image": [2], "text": [2]}, 2)):
        parts = {name: Part(torch.tensor([0]), full().parts[name].values[own]) for name, own in rows.items()}
        torch.testing.assert_close(logits_of(net, Batch(("x",), parts))[0], mixed[i], atol=1e-5, rtol=1e-4)


def test_the_same_batch_gives_the_same_bits_and_bfloat16_stays_near(net: nn.Module) -> None:
    net.eval()
    with torch.inference_mode():
        exact = net.embed(full())
        assert torch.equal(exact, net.embed(full()))
        with torch.autocast("cpu", torch.bfloat16):
            rough = net.embed(full())
    assert rough.dtype == torch.float32 and float((exact * rough).sum(1).min()) > 0.99


@pytest.mark.parametrize("make", [NETS[n] for n in NETS if n.startswith("vlm")])
def test_the_first_loss_of_writing_is_ln_of_the_vocabulary(make: Callable[[], VisionLanguage]) -> None:
    torch.manual_seed(0)
    net = make()
    targets = torch.tensor([[7, 8, END], [9, END, PAD], [10, 11, END], [END, PAD, PAD]])
    inputs = targets[:, :-1] * (targets[:, :-1] != END)
    states = net.answer_states(net.pictured(net.picture_tokens(pictures(4)), 4), questions(4), inputs)
    logits = net.decoder.logits(states)
    assert logits.shape == (4, 3, BPE.size)
    assert float(caption(logits, targets).detach()) == pytest.approx(math.log(BPE.size), abs=0.15)


def test_the_first_loss_of_answering_is_ln_of_the_answers() -> None:
    torch.manual_seed(0)
    loss = classify(vqa()(full()), torch.tensor([0, 1, 2, 3])).detach()
    assert float(loss) == pytest.approx(math.log(len(ANSWERS)), abs=0.8)


def test_training_and_decoding_read_the_same() -> None:
    """What a net learns to write after a prefix is what it is asked for when it writes."""
    torch.manual_seed(0)
    for make in (vlm, lambda: vlm("cross")):
        net = make().eval()
        tokens = [[7, 8], [9]]
        given = batch([0, 1], [0, 1], n=2)
        shown = net.pictured(net.picture_tokens(pictures(2)), 2)
        states = net.answer_states(shown, questions(2), torch.tensor([[7, 8], [9, 0]]))
        taught = net.decoder.logits(states).log_softmax(2)
        first = taught[0, 0, 7] + taught[0, 1, 8] + taught[0, 2, END]
        second = taught[1, 0, 9] + taught[1, 1, END]
        scores = net.choice_scores(given, tokens)
        torch.testing.assert_close(
            torch.stack([scores[0, 0], scores[1, 1]]), torch.stack([first, second]), atol=1e-4, rtol=1e-4
        )


class Picture:
    """A picture in memory."""

    modality, source = "image", "memory"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def load(self) -> np.ndarray:
        return np.random.default_rng(self.seed).integers(0, 255, (40, 40, 3)).astype(np.uint8)


SAMPLES = [
    Sample("a", {"text": "is it red?", "image": Picture(0)}),
    Sample("b", {"image": Picture(1)}),
    Sample("c", {"text": "what colour is the shape? " * 9}),
    Sample("d", {"text": "\ud800 <eos>", "image": Picture(2)}),
]


def test_a_model_is_what_the_protocols_say(model: GenerativeModel) -> None:
    assert all(isinstance(model, kind) for kind in (Generates, Embeds, Scores, Classifies, HasFacts))
    assert model.modalities == {"text", "image"} and "ask" in model.skills
    assert model.facts().parameters == sum(p.numel() for p in model.net.parameters())


def test_answers_are_texts_one_for_each_alone_as_together(model: GenerativeModel) -> None:
    answers = model.generate(SAMPLES)
    assert len(answers) == 4 and all(isinstance(answer, str) for answer in answers)
    assert answers == [model.generate([sample])[0] for sample in SAMPLES] == model.generate(SAMPLES)
    assert model.generate([]) == []
    "".join(answers).encode()
    with pytest.raises(ValueError, match="writes text, not image"):
        model.generate(SAMPLES, "image")


def test_scores_are_log_probabilities_in_the_order_of_the_choices(model: GenerativeModel) -> None:
    scores = model.score(SAMPLES, ANSWERS)
    assert scores.shape == (4, 4) and scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(model.score(SAMPLES, ANSWERS[::-1]), scores[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(np.concatenate([model.score([s], ANSWERS) for s in SAMPLES]), scores, atol=1e-4)
    if model.classes:
        assert model.generate(SAMPLES) == [ANSWERS[i] for i in scores.argmax(1)]
        with pytest.raises(ValueError, match="did you mean red"):
            model.score(SAMPLES, ("rde", "no"))


def test_saving_again_gives_the_same_answers_and_fingerprint(model: GenerativeModel, tmp_path: Path) -> None:
    again = load_native(model.save(tmp_path / "again"))
    assert again.fingerprint == model.fingerprint and len(model.fingerprint) == 64
    assert np.array_equal(model.embed(SAMPLES), again.embed(SAMPLES))
    assert model.generate(SAMPLES) == again.generate(SAMPLES)
    assert model.renamed("mine").name == "mine"


def test_how_it_is_decoded_is_part_of_the_fingerprint_and_drawing_depends_on_the_sample_alone(
    model: GenerativeModel,
) -> None:
    drawn = model.decoded(Decoding(temperature=1.5, max_tokens=5, seed=1))
    assert drawn.fingerprint != model.fingerprint
    if not model.classes:
        together = drawn.generate(SAMPLES)
        assert together == [drawn.generate([sample])[0] for sample in reversed(SAMPLES)][::-1]
        assert together != model.decoded(Decoding(temperature=1.5, max_tokens=5, seed=2)).generate(SAMPLES)


def test_what_cannot_be_answered_names_the_sample(model: GenerativeModel) -> None:
    with pytest.raises(ValueError, match="'v' has nothing"):
        model.score([Sample("v", {})], ANSWERS)
    with pytest.raises(ValueError, match="does not take 'audio'"):
        model.embed(SAMPLES, "audio")
    with pytest.raises(ValueError, match="no choices"):
        model.score(SAMPLES, ())


def test_a_damaged_tokeniser_is_told(model: GenerativeModel, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "damaged")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"cannot be read.*tokenizer\.json holds no"):
        load_native(folder)


def test_a_modality_that_a_net_does_not_take_is_named(net: nn.Module) -> None:
    given = batch([0], [0])
    with pytest.raises(ValueError, match=r"(Vqa|VisionLanguage) takes text, image, got audio"):
        net.embed(Batch(given.ids, {**given.parts, "audio": Part(torch.tensor([0]), torch.zeros(1, 64, 192))}))


def test_what_an_answer_rests_on_stands_before_it() -> None:
    """The answer is foretold from the evidence as if that had been part of the request."""
    torch.manual_seed(0)
    net = vlm(evidence=True).eval()
    found, told = net.with_evidence(full())
    assert len(found) == 4 and told.parts["text"].values.shape[1] > full().parts["text"].values.shape[1]
    at_once = VisionLanguage(replace(net.settings, evidence=False)).eval()
    at_once.load_state_dict(net.state_dict())
    how = Decoding(max_tokens=6)
    assert net.generate(full(), how) == at_once.generate(told, how)
    torch.testing.assert_close(net.choice_scores(full(), [[7], [8, 9]]), at_once.choice_scores(told, [[7], [8, 9]]))
    assert at_once.with_evidence(full())[0] == [[], [], [], []]


def test_a_model_tells_what_its_answers_rest_on(model: GenerativeModel) -> None:
    told = model.evidence(SAMPLES)
    assert isinstance(model, Reasons) and len(told) == 4 and all(isinstance(text, str) for text in told)
    rests = isinstance(model.net, VisionLanguage) and model.net.settings.evidence
    assert rests == any(told)


def test_a_frozen_reader_stays_as_it_is_in_training() -> None:
    torch.manual_seed(0)
    net = vlm(frozen=True).train()
    before = {name: value.clone() for name, value in net.reader.state_dict().items()}
    net.decoder.logits(net.begin(full())[0]).sum().backward()
    assert all(p.grad is None for p in net.reader.parameters()) and net.projector[1].weight.grad is not None
    assert all(torch.equal(value, net.reader.state_dict()[name]) for name, value in before.items())
    assert net.decoder.training and not net.reader.training
