"""Benchmark cards on records in the published layouts, beside the official scorers' logic written out again here."""

import base64
import json
from collections import defaultdict

import numpy as np
import pytest
from card_fakes import Says, clean, png

import assay
from assay.catalog import CARDS
from assay.data.cards import shipped


def test_every_card_can_be_read_and_says_where_it_comes_from():
    cards = shipped()
    assert tuple(cards) == CARDS
    for card in cards.values():
        assert card.title and card.licence and card.source and card.paper and card.metrics


# --- POPE


POPE = [
    ("yes", "Yes, there is a dog."),
    ("no", "There is not one."),
    ("yes", "I see no dog. Yes."),
    ("no", "yes"),
    ("no", "No"),
    ("yes", ""),
    ("yes", "It is unclear"),
]


def official_pope(rows):
    """evaluate.py of RUCAIBox/POPE, in other words."""
    said, true = [], []
    for label, text in rows:
        head = text.split(".")[0].replace(",", "").split(" ")
        said.append(0 if {"No", "not", "no"} & set(head) else 1)
        true.append(0 if label == "no" else 1)
    tp = sum(s == t == 1 for s, t in zip(said, true, strict=True))
    fp = sum(s == 1 and t == 0 for s, t in zip(said, true, strict=True))
    fn = sum(s == 0 and t == 1 for s, t in zip(said, true, strict=True))
    right = sum(s == t for s, t in zip(said, true, strict=True))
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return {
        "pope_accuracy": right / len(rows),
        "pope_precision": precision,
        "pope_recall": recall,
        "pope_f1": 2 * precision * recall / (precision + recall),
        "pope_yes_ratio": sum(said) / len(said),
    }


def test_pope(tmp_path):
    (tmp_path / "val2014").mkdir()
    lines = []
    for i, (label, _) in enumerate(POPE, 1):
        name = f"COCO_val2014_{i // 3:012d}.jpg"
        (tmp_path / "val2014" / name).write_bytes(png())
        lines.append({"question_id": i, "image": name, "text": "Is there a dog in the image?", "label": label})
    (tmp_path / "coco_pope_random.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    model = Says({str(i): text for i, (_, text) in enumerate(POPE, 1)})
    run = assay.evaluate(model, f"pope:{tmp_path}")
    found = clean(run)
    for name, value in official_pope(POPE).items():
        assert found[f"{name}:official"].value == pytest.approx(value, abs=1e-12)
    assert found["pope_accuracy"].unit == "image" and run.manifest.task == "pope"
    assert model.shown["1"] == "Is there a dog in the image?\nAnswer the question using a single word, yes or no."
    again = assay.load_dataset(f"pope:{tmp_path}/coco_pope_random.json,{tmp_path}/val2014")
    assert again.fingerprint == assay.load_dataset(f"card:pope,{tmp_path}").fingerprint


# --- MME


MME = {
    ("existence", "a"): (["Yes", "No"], ["yes", "No."]),
    ("existence", "b"): (["Yes", "No"], ["Yes, it does", "yes"]),
    ("color", "a"): (["Yes", "No"], ["nothing", "I know not"]),
    ("code_reasoning", "x"): (["No", "Yes"], ["No", "YES"]),
    ("code_reasoning", "y"): (["No", "Yes"], ["Unclear", "yes"]),
}


def official_mme(rows):
    """calculation.py of MME's eval_tool, in other words: a subtask's score is 100 (acc + acc+), a total their sum."""
    kinds = {"perception": ["existence", "color"], "cognition": ["code_reasoning"]}
    scores = {}
    for subtask in {s for s, _ in rows}:
        pairs = []
        for (one, _), (true, said) in rows.items():
            if one == subtask:
                labels = [t if (t := text.lower()) in ("yes", "no") else t[:4] for text in said]
                read = ["yes" if "yes" in t else "no" if "no" in t else "other" for t in labels]
                pairs.append([r == t.lower() for r, t in zip(read, true, strict=True)])
        accuracy = np.mean([hit for pair in pairs for hit in pair])
        scores[subtask] = 100 * (accuracy + np.mean([all(pair) for pair in pairs]))
    return {f"mme_{kind}": sum(scores[s] for s in subtasks) for kind, subtasks in kinds.items()}


@pytest.fixture
def mme_folder(tmp_path):
    release = tmp_path / "MME_Benchmark_release_version"
    for (subtask, name), (true, _) in MME.items():
        apart = subtask == "existence"  # in some subtasks pictures and questions lie apart
        texts = release / subtask / ("questions_answers_YN" if apart else "")
        shown = release / subtask / ("images" if apart else "")
        texts.mkdir(parents=True, exist_ok=True)
        shown.mkdir(parents=True, exist_ok=True)
        (shown / f"{name}.jpg").write_bytes(png())
        (texts / f"{name}.txt").write_text("".join(f"Is it {t}? Please answer yes or no.\t{t}\n" for t in true))
    return tmp_path


def test_mme(mme_folder):
    said = {f"{s}/{n}#{i}": text for (s, n), (_, texts) in MME.items() for i, text in enumerate(texts)}
    run = assay.evaluate(Says(said), f"mme:{mme_folder}")
    found = clean(run)
    for name, value in official_mme(MME).items():
        assert found[name].value == pytest.approx(value, abs=1e-9)
    assert found["mme_accuracy_plus"].value == pytest.approx(2 / 5) and found["mme_accuracy_plus"].n == 5
    assert found["mme_unparsed"].value == pytest.approx(2 / 10)
    by_subtask = {e.slice: e.value for e in run.estimates if e.metric == "mme_accuracy_plus" and e.condition == "clean"}
    assert by_subtask["subtask=existence"] == 0.5 and by_subtask["subtask=color"] == 0.0
    direct = assay.load_dataset(f"mme:{mme_folder}/MME_Benchmark_release_version")
    assert len(direct) == 10


def test_a_pair_with_a_broken_picture_is_missing_and_not_wrong(mme_folder):
    (mme_folder / "MME_Benchmark_release_version" / "color" / "a.jpg").write_bytes(b"broken")
    said = {f"{s}/{n}#{i}": text for (s, n), (_, texts) in MME.items() for i, text in enumerate(texts)}
    found = clean(assay.evaluate(Says(said), f"mme:{mme_folder}", conditions=["clean"]))
    assert found["mme_accuracy_plus"].value == 0.5 and found["mme_accuracy_plus"].n_missing == 1
    rest = {key: value for key, value in MME.items() if key[0] != "color"}
    rest[("color", "none")] = ([], [])
    expected = 100 * (3 / 4 + 1 / 2)  # of existence alone
    assert found["mme_perception"].value == pytest.approx(expected)


def test_mme_refuses_what_is_no_question(mme_folder):
    text = mme_folder / "MME_Benchmark_release_version" / "color" / "a.txt"
    text.write_text("Is it?\tPerhaps\n")
    with pytest.raises(ValueError, match=r"a.txt, line 1: QUESTION<tab>Yes or No"):
        assay.load_dataset(f"mme:{mme_folder}")
    text.write_text("Is it?\tYes\n")
    with pytest.raises(ValueError, match="two questions about a picture were expected, got 1"):
        assay.load_dataset(f"mme:{mme_folder}")


# --- MMBench


QUESTIONS = [
    {"index": 241, "question": "What is it?", "hint": "", "A": "cat", "B": "dog", "C": "", "D": "", "answer": "A"},
    {
        "index": 252,
        "question": "Which?",
        "hint": "Look.",
        "A": "red",
        "B": "blue",
        "C": "green",
        "D": "",
        "answer": "C",
    },
    {"index": 253, "question": "How many?", "hint": "", "A": "1", "B": "2", "C": "3", "D": "4", "answer": "B"},
]
COLUMNS = ["index", "question", "hint", "A", "B", "C", "D", "answer", "category", "l2-category", "split", "image"]


def mmbench(path, rows):
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(str(row.get(column, "")) for column in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def published(rotated):
    """Rows as OpenCompass publishes them; with ``rotated`` also the rotations, whose picture is the first row's index."""
    out = []
    for number, row in enumerate(QUESTIONS):
        image = base64.b64encode(png((number, 0, 0))).decode()
        more = {"category": f"c{number % 2}", "l2-category": "l", "split": "dev", "image": image}
        out.append({**row, **more})
        texts = [row[letter] for letter in "ABCD" if row[letter]]
        for turn in range(1, len(texts) if rotated else 1):
            turned = texts[turn:] + texts[:turn]
            letter = "ABCD"[turned.index(row[row["answer"]])]
            again = dict(zip("ABCD", turned, strict=False))
            empty = dict.fromkeys("ABCD", "")
            index = row["index"] + turn * 1_000_000
            out.append({**row, **more, **empty, **again, "answer": letter, "index": index, "image": row["index"]})
    return out


def official_circular(rows, said):
    """mcq_circular_eval of VLMEvalKit without a judge, for answers that are plain letters."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["index"] % 1_000_000].append(said[str(row["index"])] == row["answer"])
    return np.mean([all(hits) for hits in groups.values()])


@pytest.mark.parametrize("rotated", [True, False])
def test_mmbench(tmp_path, rotated):
    mmbench(tmp_path / "MMBench_DEV_EN.tsv", published(rotated))
    rows = published(True)
    right = {str(row["index"]): row["answer"] for row in rows}
    said = dict(right)
    said["2000253"] = "A" if right["2000253"] != "A" else "D"  # one rotation wrong
    said["252"] = f"The answer is ({right['252']})."
    model = Says(said)
    run = assay.evaluate(model, f"mmbench:{tmp_path}", conditions=["clean"])
    found = clean(run)
    plain = said | {"252": right["252"]}
    assert set(model.shown) == set(right)
    for name in ("circular_accuracy", "circular_accuracy:official"):
        assert found[name].value == pytest.approx(official_circular(rows, plain)) == pytest.approx(2 / 3)
        assert (found[name].n, found[name].unit) == (3, "item")
    assert found["multiple_choice"].value == pytest.approx(8 / 9)
    assert model.shown["252"] == (
        "Hint: Look.\nQuestion: Which?\nOptions:\nA. red\nB. blue\nC. green\n"
        "Please select the correct answer from the options above."
    )
    assert model.shown["241"].startswith("Question: What is it?\nOptions:\nA. cat\nB. dog\nPlease")
    data = assay.load_dataset(f"mmbench:{tmp_path}")
    assert {s.inputs["image"].load()[0, 0, 0] for s in data.samples if s.groups["item"] == "252"} == {1}


def test_a_constant_letter_scores_nothing_in_circles(tmp_path):
    mmbench(tmp_path / "m.tsv", published(False))
    data = assay.load_dataset(f"mmbench:{tmp_path}/m.tsv")
    found = clean(assay.evaluate(Says({s.id: "A" for s in data.samples}), data, conditions=["clean"]))
    assert found["circular_accuracy"].value == 0.0
    assert found["multiple_choice"].value == pytest.approx(3 / 9)


def test_parts_of_a_benchmark_hold_whole_circles(tmp_path, mme_folder):
    mmbench(tmp_path / "m.tsv", published(True))  # the rotations stand after all questions
    data = assay.load_dataset(f"mmbench:{tmp_path}/m.tsv")
    for part in (data.first(2), data.chosen(2), data.every(2), assay.load_dataset(f"mmbench:{tmp_path}/m.tsv[:2]")):
        counts = {
            item: sum(s.groups["item"] == item for s in part.samples)
            for item in {s.groups["item"] for s in part.samples}
        }
        assert len(counts) == 2 and counts == {i: {"241": 2, "252": 3, "253": 4}[i] for i in counts}
    pairs = assay.load_dataset(f"mme:{mme_folder}").first(3)
    assert len(pairs) == 6 and len({s.groups["image"] for s in pairs.samples}) == 3


def test_questions_about_one_picture_are_circles_of_their_own(tmp_path):
    (tmp_path / "c.toml").write_text(
        'title = "t"\ntask = "vqa"\nfiles = ["q.csv", "."]\nprompt = "{q} {options}"\noptions = ["A", "B"]\ncircular = true\n'
        'unit = "image"\nmetrics = ["circular_accuracy"]\n[fields]\nimage = "file"\nanswer = "answer"\n'
    )
    (tmp_path / "q.csv").write_text("file,q,A,B,answer\nx.png,one,a,b,A\nx.png,two,a,b,B\n")
    (tmp_path / "x.png").write_bytes(png())
    said = {
        "0": "A",
        "1000000": "B",
        "1": "A",
        "1000001": "B",
    }  # the first question right twice, the second wrong twice
    found = clean(assay.evaluate(Says(said), f"card:{tmp_path}/c.toml", conditions=["clean"]))
    assert (found["circular_accuracy"].value, found["circular_accuracy"].unit, found["circular_accuracy"].n) == (
        0.5,
        "image",
        1,
    )


def test_mmbench_without_answers_says_so(tmp_path):
    rows = published(False)
    rows[1]["answer"] = ""
    mmbench(tmp_path / "m.tsv", rows)
    with pytest.raises(ValueError, match=r"m.tsv, line 3: 'answer' is empty"):
        assay.load_dataset(f"mmbench:{tmp_path}/m.tsv")


# --- VQA v2, COCO


def test_vqa_v2(tmp_path):
    (tmp_path / "val2014").mkdir()
    (tmp_path / "val2014" / "COCO_val2014_000000000042.jpg").write_bytes(png())
    asked = {"data_subtype": "val2014", "questions": [{"question_id": 1, "image_id": 42, "question": "How many?"}]}
    people = [{"answer": a, "answer_id": i} for i, a in enumerate(["2"] * 3 + ["two"] * 2 + ["3"] * 5, 1)]
    told = {"question_id": 1, "image_id": 42, "answer_type": "number", "question_type": "how many", "answers": people}
    told["multiple_choice_answer"] = "3"
    (tmp_path / "v2_OpenEnded_mscoco_val2014_questions.json").write_text(json.dumps(asked))
    (tmp_path / "v2_mscoco_val2014_annotations.json").write_text(json.dumps({"annotations": [told]}))
    model = Says({"1": "2"})
    found = clean(assay.evaluate(model, f"vqav2:{tmp_path}"))
    # the official scorer: over the ten, the others' agreement min(n / 3, 1): "2" and "two" are one answer of five people
    assert found["vqa_accuracy"].value == pytest.approx(1.0)
    assert model.shown["1"] == "How many?\nAnswer the question using a single word or phrase."


def test_coco_captions_are_as_scored_from_a_file(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "val2014").mkdir()
    captions = {1: ["A dog runs.", "A brown dog is running."], 2: ["A red car.", "The car is red."], 3: ["Two cats."]}
    given = {
        "images": [{"id": i, "file_name": f"{i}.jpg"} for i in captions],
        "annotations": [
            {"id": 9 * i + j, "image_id": i, "caption": c} for i, cs in captions.items() for j, c in enumerate(cs)
        ],
    }
    for i in captions:
        (tmp_path / "val2014" / f"{i}.jpg").write_bytes(png())
    (tmp_path / "annotations" / "captions_val2014.json").write_text(json.dumps(given))
    said = {"1": "A dog is running.", "2": "The red car.", "3": "a bird"}
    found = clean(assay.evaluate(Says(said), f"coco-captions:{tmp_path}", conditions=["clean"]))
    results = [{"image_id": int(i), "caption": text} for i, text in said.items()]
    (tmp_path / "results.json").write_text(json.dumps(results))
    scored = assay.score(tmp_path / "results.json", tmp_path / "annotations" / "captions_val2014.json")
    for one in scored.run.estimates:
        if one.slice == "all" and one.metric in found:
            assert found[one.metric].value == pytest.approx(one.value, abs=1e-12)
    assert {"cider_d", "bleu_4", "rouge_l"} <= set(found)
