"""``hf:`` on the command line: evaluate, predict, search; and the same answers through a function of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assay import verbs
from assay.cli import main


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("kind", "task", "metric"),
    [
        ("clip_folder", "retrieval", "hit@1"),
        ("clip_folder", "zeroshot", "accuracy"),
        ("siglip_folder", "classification", "accuracy"),
        ("blip_folder", "captioning", "cider_d"),
        ("blip_vqa_folder", "vqa", "vqa_accuracy"),
        ("llava_folder", "vqa", "vqa_accuracy"),
        ("llava_folder", "classification", "accuracy"),
        ("qwen_folder", "vqa", "vqa_accuracy"),
        ("qwen_folder", "captioning", "cider_d"),
        ("llama_folder", "vqa", "vqa_accuracy"),
    ],
)
def test_evaluate(
    kind: str,
    task: str,
    metric: str,
    pictures: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    model = f"hf:{request.getfixturevalue(kind)}?max_tokens=4"
    found = document(capsys, "evaluate", model, str(pictures), "--task", task, "--json", "--out", str(tmp_path / "run"))
    first = found["estimates"][0]
    assert first["metric"] == metric and first["n"] == 5 and first["n_missing"] == 0 and found["errors"] == []


def test_a_classifier_by_its_labels(
    vit_folder: Path, pictures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = f"hf:{vit_folder}?labels=cat,dog,car"
    found = document(capsys, "evaluate", model, str(pictures), "--json", "--out", str(tmp_path / "run"))
    assert found["estimates"][0]["metric"] == "accuracy"


def test_transcription(whisper_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        soundfile.write(tmp_path / f"{i}.wav", rng.normal(size=4000 * (i + 1)) * 0.1, 8000)
    (tmp_path / "said.csv").write_text("audio,text\n0.wav,number nought\n1.wav,number one\n2.wav,number two\n")
    out = str(tmp_path / "run")
    found = document(capsys, "evaluate", f"hf:{whisper_folder}", str(tmp_path), "--json", "--out", out)
    assert [one["metric"] for one in found["estimates"][:2]] == ["wer", "cer"]
    assert found["estimates"][0]["n"] == 3


def test_predict_and_search(
    clip_folder: Path, qwen_folder: Path, blip_folder: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = str(pictures / "0.png")
    chosen = document(capsys, "predict", f"hf:{clip_folder}", "--image", image, "--choices", "cat,dog", "--json")
    assert {one["label"] for one in chosen["classes"]} == {"cat", "dog"}
    chat = f"hf:{qwen_folder}?max_tokens=5"
    for asked in (["--ask", "what colour is it?"], ["--describe"]):
        assert document(capsys, "predict", chat, "--image", image, *asked, "--json")["text"]
    described = document(capsys, "predict", f"hf:{blip_folder}?max_tokens=5", "--image", image, "--describe", "--json")
    assert described["text"]
    hits = document(capsys, "search", f"hf:{clip_folder}", str(pictures), "a photo of a cat", "--k", "2", "--json")
    assert len(hits["hits"]) == 2


def test_a_captioner_is_not_asked_questions(
    blip_folder: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", f"hf:{blip_folder}", "--image", str(pictures / "0.png"), "--ask", "what is it?"]
    assert main(arguments) == 2
    assert "was not trained to answer questions: use --describe" in capsys.readouterr().err


def test_the_same_answers_through_a_function(qwen_folder: Path, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from pathlib import Path\n"
        "import torch, transformers\n"
        "from PIL import Image\n"
        f"folder = {str(qwen_folder)!r}\n"
        "net = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()\n"
        "tokens = transformers.AutoTokenizer.from_pretrained(folder)\n"
        "images = transformers.AutoImageProcessor.from_pretrained(folder)\n"
        "def one(sample):\n"
        "    shown = []\n"
        "    extra = {}\n"
        "    if 'image' in sample.inputs:\n"
        "        extra = dict(images(Image.fromarray(sample.inputs['image'].load()), return_tensors='pt'))\n"
        "        shown = [{'type': 'image'}]\n"
        "    message = [{'role': 'user', 'content': [*shown, {'type': 'text', 'text': sample.inputs['text']}]}]\n"
        "    prompt = tokens.apply_chat_template(message, tokenize=False, add_generation_prompt=True)\n"
        "    if extra:\n"
        "        places = int(extra['image_grid_thw'].prod()) // 4\n"
        "        prompt = prompt.replace('<|image_pad|>', '<|image_pad|>' * places)\n"
        "    told = tokens(prompt, return_tensors='pt')\n"
        "    if extra:\n"
        "        extra['mm_token_type_ids'] = (told['input_ids'] == net.config.image_token_id).long()\n"
        "    with torch.inference_mode():\n"
        "        out = net.generate(**told, **extra, max_new_tokens=6, do_sample=False)\n"
        "    return tokens.decode(out[0, told['input_ids'].shape[1]:], skip_special_tokens=True).strip()\n"
        "def answer(samples):\n"
        "    return [one(sample) for sample in samples]\n"
    )
    ours = verbs.evaluate(f"hf:{qwen_folder}?max_tokens=6", pictures, task="vqa")
    own = verbs.evaluate(f"py:{tmp_path / 'own.py'}:answer", pictures, task="vqa")
    assert ours.complete and own.complete
    assert list(ours.predictions["answer"]) == list(own.predictions["answer"])
