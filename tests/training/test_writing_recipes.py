"""What the recipes of nets that answer in words draw and minimise, on small made-up data; exact continuation; refusals."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from assay.data.requests import DESCRIBE, ENGLISH, NAME, SORT, WORDINGS
from assay.losses.classify import classify
from assay.models.bpe import END, PAD, train_bpe
from assay.models.encoders.cnn import PictureGrid
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.models.vqa import Vqa, VqaSettings
from assay.recipes.corpus import table
from assay.recipes.described import SHARES, Described, DescribedSource, held_answers
from assay.recipes.questions import UNSEEN, Questions, QuestionSource, fact, moved, question_texts
from assay.recipes.readers import start_pictures
from assay.recipes.vlm import WrittenSource, held_questions
from assay.recipes.vqa import answer_logits, validate_vqa
from assay.recipes.wordings import wordings
from assay.recipes.written import exact_share, start_reader, writing_loss
from assay.training.loop import train
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

ANSWERS = ("yes", "no", "red")
TEXTS = ("is there red?", "is it red?", "what colour?")
BPE = train_bpe([*TEXTS, *ANSWERS] * 3, 280)
PX = 32


def questions(pictures: int = 6, each: int = 3) -> Questions:
    generator = torch.Generator().manual_seed(0)
    n = pictures * each
    return Questions(
        names=tuple(f"p{i}" for i in range(pictures)),
        facts=tuple(f"seen {i}" for i in range(pictures)),
        answers=ANSWERS,
        texts=TEXTS,
        pictures=torch.randint(0, 255, (pictures, 3, PX, PX), generator=generator).to(torch.uint8),
        first=torch.tensor([0, 2]),
        count=torch.tensor([2, 1]),
        picture_of=torch.arange(pictures).repeat_interleave(each),
        question_of=torch.arange(n) % 2,
        answer_of=torch.arange(n) % len(ANSWERS),
    )


def described(n: int = 8) -> Described:
    pictures = torch.randint(0, 255, (2 * n, 3, PX, PX), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    answers = {kind: tuple(f"{' '.join(kind)} {i}" for i in range(n)) for kind in SHARES}
    return Described(tuple(f"c{i}" for i in range(n)), table(pictures, [i // 2 for i in range(2 * n)], n), answers)


def vlm(attach: str = "prefix") -> VisionLanguage:
    sizes = {"size_px": PX, "image_widths": (8, 16), "dim": 32, "layers": 1, "heads": 2, "max_tokens": 6, "length": 120}
    return VisionLanguage(VlmSettings(BPE.size, ("ask",), attach=attach, **sizes))


def vqa() -> Vqa:
    return Vqa(VqaSettings(ANSWERS, BPE.size, dim=16, image_widths=(8, 16), text_width=8))


def test_every_question_of_a_drawn_picture_is_asked_and_belongs_to_it() -> None:
    made = questions()
    asked = QuestionSource(made, 4, seed=1, hidden=0.0).draw()
    assert asked.pictures.shape == (4, 3, PX, PX) and len(set(asked.ids)) == 4
    assert len(asked.picture_of) == 12 and torch.bincount(asked.picture_of).tolist() == [3] * 4
    for picture, text, answer in zip(
        asked.picture_of.tolist(), asked.text_of.tolist(), asked.answer_of.tolist(), strict=True
    ):
        number = made.names.index(asked.ids[picture])
        own = made.picture_of == number
        question = 0 if text < 2 else 1
        assert (question, answer) in set(zip(made.question_of[own].tolist(), made.answer_of[own].tolist(), strict=True))


def test_some_pictures_and_some_questions_are_hidden_never_both() -> None:
    source = QuestionSource(questions(60), 60, seed=1, hidden=0.5)
    asked = source.draw()
    blind, mute = asked.picture_of < 0, asked.text_of < 0
    assert 0.3 < float(blind.float().mean()) < 0.7 and bool(mute.any()) and not bool((blind & mute).any())


def test_a_question_is_put_in_its_own_wordings_and_mostly_in_the_datas() -> None:
    source = QuestionSource(questions(), 6, 0)
    drawn = torch.linspace(0, 0.999, 1000)
    first = torch.stack([source.worded(torch.stack([value, value])) for value in drawn])
    assert set(first[:, 0].tolist()) == {0, 1} and set(first[:, 1].tolist()) == {2}
    assert 0.6 < float((first[:, 0] == 0).float().mean()) < 0.8


def test_other_wordings_mean_the_same() -> None:
    assert "Is the shape grey?" in wordings("is there a gray shape in the image?")
    assert "what colour is it" in wordings("what color is the shape?")
    assert "is it not a circle?" in wordings("is there not a circle?")
    for question in ("is there not a red shape?", "does the image not contain a circle?", "is no red shape present?"):
        assert all(re.search(r"\b(not|no)\b", text) for text in wordings(question))
    assert all(
        len(set(wordings(text))) == len(wordings(text)) and wordings(text)[0] == text for text in question_texts()[:50]
    )


def test_in_words_a_hidden_question_is_no_request() -> None:
    made = questions(40)
    drawn = WrittenSource(QuestionSource(made, 40, seed=1, hidden=0.5), BPE).draw()
    assert drawn.requests.shape[0] == drawn.answers.shape[0] == 120
    assert bool(((drawn.requests != PAD).sum(1) == 0).any())
    answers = {BPE.decode(t for t in row if t != PAD) for row in drawn.answers.tolist()}
    assert answers == set(ANSWERS) and bool(((drawn.answers == END).sum(1) == 1).all())


def test_evidence_is_what_the_picture_shows_and_stands_before_the_answer() -> None:
    made = questions(20)
    drawn = WrittenSource(QuestionSource(made, 20, seed=1, hidden=0.3), BPE, evidence=True).draw()
    assert bool(((drawn.answers == END).sum(1) == 2).all())
    for picture, answer in zip(drawn.picture_of.tolist(), drawn.answers.tolist(), strict=True):
        seen = BPE.decode(answer[: answer.index(END)])
        assert seen == (UNSEEN if picture < 0 else made.facts[made.names.index(drawn.ids[picture])])


def test_facts_are_what_the_questions_and_their_answers_tell() -> None:
    told = {"what shape is present?": "circle", "is there a red shape?": "no", "is there not a blue shape?": "no"}
    assert fact(list(told.items())) == "a blue circle"
    assert fact([("what is the teal shape?", "triangle")]) == "a teal triangle"
    assert fact([("is there not a circle?", "yes")]) == "a shape"


def test_a_moved_shape_stays_whole() -> None:
    pictures = torch.full((30, 3, 16, 16), 0.9)
    pictures[:, :, 2:6, 0:5] = torch.tensor([0.1, 0.2, 0.8])[:, None, None]
    out = moved(pictures, torch.Generator().manual_seed(0))
    ink = (out - 0.9).abs().amax(1) > 0.01
    assert ink.flatten(1).sum(1).tolist() == [20] * 30
    rows, columns = ink.any(2), ink.any(1)
    for one in (*rows, *columns):
        where = one.nonzero()[:, 0]
        assert int(where[-1] - where[0]) + 1 == len(where)
    assert len({int(row.float().argmax()) for row in rows}) > 5
    blank = torch.full((2, 3, 16, 16), 0.5)
    assert torch.equal(moved(blank, torch.Generator().manual_seed(0)), blank)


def test_a_described_picture_is_its_concepts_and_so_is_what_is_answered() -> None:
    made = described()
    drawn = DescribedSource(made, BPE, 5, seed=2, asked=3, hidden=0.0).draw()
    assert drawn.pictures.shape == (5, 3, PX, PX) and drawn.picture_of.tolist() == [i // 3 for i in range(15)]
    for picture, request, answer in zip(
        drawn.picture_of.tolist(), drawn.requests.tolist(), drawn.answers.tolist(), strict=True
    ):
        skill, language, number = BPE.decode(t for t in answer if t not in (PAD, END)).split()
        assert made.concepts.index(drawn.ids[picture]) == int(number)
        assert BPE.decode(t for t in request if t != PAD) in WORDINGS[skill][language]


def test_held_answers_ask_every_picture_once() -> None:
    held = held_answers(described(), BPE, NAME)
    assert len(held.pictures) == len(held.answers) == 16
    assert {BPE.decode(t for t in row if t != PAD) for row in held.requests.tolist()} == {WORDINGS[NAME][ENGLISH][0]}
    assert set(SHARES) == {(skill, language) for skill in (DESCRIBE, NAME, SORT) for language in WORDINGS[skill]}


def test_sources_go_on_where_they_were_kept() -> None:
    makers = (
        lambda: QuestionSource(questions(), 4, 3),
        lambda: WrittenSource(QuestionSource(questions(), 4, 3), BPE),
        lambda: DescribedSource(described(), BPE, 5, 3),
    )
    for make in makers:
        first, second = make(), make()
        first.draw()
        second.restore(first.state())
        for _ in range(2):
            a, b = first.draw(), second.draw()
            assert a.ids == b.ids and torch.equal(a.pictures, b.pictures) and torch.equal(a.picture_of, b.picture_of)


def test_the_first_losses_are_ln_of_what_there_is_to_choose_from() -> None:
    torch.manual_seed(0)
    for attach in ("prefix", "cross"):
        drawn = DescribedSource(described(), BPE, 8, 0).draw()
        assert float(writing_loss(vlm(attach), drawn).detach()) == pytest.approx(math.log(BPE.size), abs=0.15)
    asked = QuestionSource(questions(), 6, 0).draw()
    logits = answer_logits(vqa(), asked, BPE.batch(TEXTS, 16))
    assert logits.shape == (18, 3)
    assert float(classify(logits, asked.answer_of).detach()) == pytest.approx(math.log(3), abs=0.6)


def test_the_loss_does_not_depend_on_how_answers_are_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = vlm().eval()
    drawn = DescribedSource(described(), BPE, 8, 0).draw()
    grouped = writing_loss(net, drawn)
    monkeypatch.setattr("assay.recipes.written.GROUPS", 1)
    torch.testing.assert_close(writing_loss(net, drawn), grouped)


def test_what_is_hidden_has_no_influence_on_the_answer() -> None:
    torch.manual_seed(0)
    net, made = vqa().eval(), questions()
    asked = QuestionSource(made, 6, 0, hidden=0.5).draw()
    other = replace(asked, pictures=asked.pictures.flip(0))
    texts = BPE.batch(TEXTS, 16)
    same = torch.isclose(answer_logits(net, asked, texts), answer_logits(net, other, texts)).all(1)
    assert torch.equal(same, asked.picture_of < 0)


def test_validation_counts_answers_to_the_letter() -> None:
    torch.manual_seed(0)
    net, made = vlm().eval(), questions()
    held = held_questions(made, BPE, 9)
    share = exact_share(net, held)
    assert share == exact_share(net, held) and 0 <= share <= 1
    # What it does write is to the letter what it writes.
    from assay.data.batch import Batch, Part
    from assay.models.generation import Decoding

    rows = torch.arange(9)
    given = Batch(
        tuple(map(str, range(9))),
        {"text": Part(rows, held.requests), "image": Part(rows, held.pictures[held.picture_of])},
    )
    written = net.generate(given, Decoding(max_tokens=6))
    width = max(len(row) for row in written) + 1
    targets = torch.tensor([[*row, END, *[PAD] * (width - len(row) - 1)] for row in written])
    assert exact_share(net, replace(held, answers=targets)) == 1.0
    figures = validate_vqa(vqa().eval(), made, BPE.batch(TEXTS, 16))
    assert set(figures) == {"accuracy", "accuracy_blind"}


def test_a_reader_starts_from_shipped_weights_or_says_why_not() -> None:
    torch.manual_seed(0)
    sizes = VlmSettings(BPE.size, dim=32, layers=1, heads=2)
    net = VisionLanguage(sizes)
    before = {name: value.clone() for name, value in net.reader.state_dict().items()}
    assert start_reader(net, "scratch") == "scratch"
    assert all(torch.equal(value, net.reader.state_dict()[name]) for name, value in before.items())
    assert start_reader(net, "assay:aligned").startswith("assay:aligned@")
    assert not torch.equal(before["grid.stem.0.weight"], net.reader.state_dict()["grid.stem.0.weight"])
    with pytest.raises(ValueError, match="does not fit"):
        start_reader(vlm(), "assay:aligned")
    with pytest.raises(ValueError, match="assay:aligned or scratch"):
        start_reader(net, "assay:joint")


def test_a_grid_alone_starts_from_shipped_weights_too() -> None:
    torch.manual_seed(0)
    grid = PictureGrid((32, 64, 128, 224))
    before = grid.stem[0].weight.clone()
    assert start_pictures(grid, "scratch") == "scratch" and torch.equal(grid.stem[0].weight, before)
    assert start_pictures(grid, "assay:aligned").startswith("assay:aligned@")
    assert not torch.equal(grid.stem[0].weight, before)
    with pytest.raises(ValueError, match="does not fit"):
        start_pictures(PictureGrid((32, 64, 128, 192)), "assay:aligned")


@pytest.mark.parametrize("kind", ["vqa", "vlm"])
def test_training_learns_what_is_asked_and_a_cut_run_continues_to_the_bit(kind: str, tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def cut(progress) -> None:
        if progress.step == 7:
            raise Cut

    train(recipe(kind, 12), out=tmp_path / "whole")
    with pytest.raises(Cut):
        train(recipe(kind, 12), out=tmp_path / "cut", on_progress=cut)
    train(recipe(kind, 12), out=tmp_path / "cut")
    assert (tmp_path / "cut" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
    model = load_native(tmp_path / "whole")
    assert model.method == kind and model.processor.bpe == BPE


def recipe(kind: str, steps: int) -> Recipe:
    torch.manual_seed(1)
    source = QuestionSource(questions(), 4, 0)
    texts = BPE.batch(TEXTS, 16)
    if kind == "vqa":
        net: torch.nn.Module = vqa()
        return made(
            kind,
            steps,
            net,
            source,
            lambda net, asked: {"a": classify(answer_logits(net, asked, texts), asked.answer_of)},
        )
    return made(kind, steps, vlm(), WrittenSource(source, BPE), lambda net, drawn: {"words": writing_loss(net, drawn)})


def made(kind: str, steps: int, net, source, losses) -> Recipe:
    return Recipe(
        name=kind,
        settings={"steps": steps},
        net=net,
        processor=Processor(size_px=PX, longest_text=16, bpe=BPE),
        source=source,
        losses=losses,
        optim=OptimSettings(lr=0.01, steps=steps, average=0.8),
        precision="f32",
        checkpoint_every=4,
    )
