"""Retrieval and Winoground by their cards, beside the official figures' logic written out again here."""

import json

import numpy as np
import pytest
from card_fakes import Embeds, clean, png

import assay

# --- retrieval, Winoground


def karpathy_file(folder, pictures, captions):
    images = [
        {
            "filename": f"{i}.png",
            "imgid": i,
            "split": "test",
            "sentences": [{"raw": captions[i][j], "sentid": 6 * i + j, "imgid": i} for j in range(6)],
        }
        for i in range(pictures)
    ]
    (folder / "flickr30k-images").mkdir()
    for i in range(pictures):
        (folder / "flickr30k-images" / f"{i}.png").write_bytes(png((i, 0, 0)))
    for name in ("dataset_flickr30k.json", "dataset_coco.json"):
        (folder / name).write_text(json.dumps({"dataset": name, "images": images}))


def official_recalls(pictures, captions, k):
    """i2t and t2i of VSE++: the rank of the nearest of a picture's five captions, of a caption's picture; percent within k."""
    scores = pictures @ captions.T
    ranks_text = []
    for i, row in enumerate(scores):
        order = np.argsort(-row, kind="stable").tolist()
        ranks_text.append(min(order.index(5 * i + j) for j in range(5)))
    ranks_image = [np.argsort(-scores[:, c], kind="stable").tolist().index(c // 5) for c in range(len(captions))]
    return np.mean(np.array(ranks_text) < k), np.mean(np.array(ranks_image) < k)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_retrieval_by_karpathys_split(tmp_path):
    rng = np.random.default_rng(5)
    n = 20
    words = [[f"caption {j} of {i}" for j in range(6)] for i in range(n)]
    karpathy_file(tmp_path, n, words)
    pictures = unit(rng.normal(size=(n, 8)).astype(np.float32))
    captions = unit(np.repeat(pictures, 6, axis=0) + 1.2 * rng.normal(size=(6 * n, 8)).astype(np.float32))
    flat = [text for five in words for text in five]
    model = Embeds(dict(zip(flat, captions, strict=True)), dict(enumerate(pictures)))
    run = assay.evaluate(model, f"flickr30k-retrieval:{tmp_path}")
    found = {(e.slice, e.metric): e.value for e in run.estimates}
    kept = np.array([k for k in range(6 * n) if k % 6 < 5])
    for k in (1, 5, 10):
        texts, images = official_recalls(pictures, captions[kept], k)
        assert found["direction=image->text", f"hit@{k}"] == pytest.approx(texts)
        assert found["direction=text->image", f"hit@{k}"] == pytest.approx(images)
    folded = {
        (e.slice, e.metric): e.value
        for e in assay.evaluate(
            model, f"coco-retrieval-1k:{tmp_path}/dataset_coco.json,{tmp_path}/flickr30k-images"
        ).estimates
    }
    means = []
    for fold in range(5):
        rows = slice(4 * fold, 4 * fold + 4)
        means.append(official_recalls(pictures[rows], captions[kept][20 * fold : 20 * fold + 20], 1))
    assert folded["direction=image->text", "hit@1"] == pytest.approx(np.mean([m[0] for m in means]))
    assert folded["direction=text->image", "hit@1"] == pytest.approx(np.mean([m[1] for m in means]))


def test_captions_alike_are_candidates_of_their_own(tmp_path):
    words = [["the same"] + [f"caption {j} of {i}" for j in range(5)] for i in range(3)]
    karpathy_file(tmp_path, 3, words)
    data = assay.load_dataset(f"flickr30k-retrieval:{tmp_path}")
    table = {text: np.eye(4)[3 if text == "the same" else i] for i, five in enumerate(words) for text in five}
    run = assay.evaluate(Embeds(table, dict(enumerate(np.eye(4)))), data)
    there = next(e for e in run.estimates if e.metric == "hit@1" and e.slice == "direction=image->text")
    assert "gallery:15" in there.signature and there.n == 3


def test_winoground(tmp_path):
    (tmp_path / "images").mkdir()
    lines, texts, pictures, scores = [], {}, {}, []
    rng = np.random.default_rng(2)
    for i in range(12):
        for side in (0, 1):
            (tmp_path / "images" / f"ex_{i}_img_{side}.png").write_bytes(png((2 * i + side, 0, 0)))
            texts[f"caption {side} of {i}"] = rng.normal(size=4)
            pictures[2 * i + side] = rng.normal(size=4)
        lines.append(
            {
                "id": i,
                **{f"image_{s}": f"ex_{i}_img_{s}" for s in (0, 1)},
                **{f"caption_{s}": f"caption {s} of {i}" for s in (0, 1)},
                "tag": "Adjective-Color",
                "secondary_tag": "",
                "num_main_preds": 1 + i % 2,
                "collapsed_tag": "Object",
            }
        )
        c, p = (
            unit(np.array([table[key] for key in keys]))
            for table, keys in ((texts, [f"caption {s} of {i}" for s in (0, 1)]), (pictures, [2 * i, 2 * i + 1]))
        )
        scores.append(c @ p.T)
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = assay.evaluate(Embeds(texts, pictures), f"winoground:{tmp_path}")
    found = clean(run)
    # text_correct, image_correct, group_correct of the data set's own notebook
    text = [s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1] for s in scores]
    image = [s[0, 0] > s[0, 1] and s[1, 1] > s[1, 0] for s in scores]
    assert found["winoground_text"].value == pytest.approx(np.mean(text))
    assert found["winoground_image"].value == pytest.approx(np.mean(image))
    assert found["winoground_group"].value == pytest.approx(
        np.mean([a and b for a, b in zip(text, image, strict=True)])
    )
    assert found["winoground_group"].n == 12
    assert any(e.slice == "num_main_preds=2" for e in run.estimates)
    (tmp_path / "images" / "ex_3_img_1.png").write_bytes(b"broken")
    again = clean(assay.evaluate(Embeds(texts, pictures), f"winoground:{tmp_path}"))
    assert (again["winoground_group"].n, again["winoground_group"].n_missing) == (11, 1)
