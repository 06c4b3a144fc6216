"""Folders and manifests of one's own as data sets; published layouts; what is refused, with file and line."""

import json

import numpy as np
import polars
import pytest
from PIL import Image

import assay
from assay.data.readers.folder import read_path
from assay.data.readers.manifest import several


def picture(path, colour=(255, 0, 0)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)


@pytest.fixture
def folder(tmp_path):
    for i in range(4):
        picture(tmp_path / f"p{i}.png", (60 * i, 0, 0))
    (tmp_path / "labels.csv").write_text(
        "\ufeffimage,label,site\r\n" + "".join(f"p{i}.png,{'ab'[i % 2]},s{i // 2}\r\n" for i in range(4))
    )
    return tmp_path


def test_a_folder_with_a_csv(folder):
    data = read_path(folder)
    assert [s.id for s in data.samples] == [f"p{i}.png" for i in range(4)]
    assert data.choices == ("a", "b") and data.slices == ("site",) and not data.checked
    assert data.samples[3].inputs["image"].load()[0, 0].tolist() == [180, 0, 0]
    assert data.samples[2].target == "a" and data.samples[2].groups == {"site": "s1"}
    assert assay.load_dataset(folder).fingerprint == data.fingerprint == assay.load_dataset(str(folder)).fingerprint
    assert len(assay.load_dataset(f"{folder}[:2]")) == 2
    picture(folder / "p1.png", (1, 2, 3))
    (folder / "p1.png").touch()
    assert read_path(folder).fingerprint != data.fingerprint


def test_questions_in_jsonl_and_parquet(tmp_path):
    rows = [{"id": f"q{i}", "question": "how many?", "answers": ["2", "two"], "kind": "count"} for i in range(3)]
    (tmp_path / "q.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    data = read_path(tmp_path / "q.jsonl")
    assert data.asks == "vqa" and data.samples[1].id == "q1" and data.samples[1].references == ("2", "two")
    polars.DataFrame(rows).write_parquet(tmp_path / "q.parquet")
    again = read_path(tmp_path / "q.parquet")
    assert [s.references for s in again.samples] == [s.references for s in data.samples]
    (tmp_path / "q.json").write_text(json.dumps(rows))
    assert [s.id for s in read_path(tmp_path / "q.json").samples] == ["q0", "q1", "q2"]


def test_columns_by_other_names(tmp_path):
    picture(tmp_path / "x.png")
    (tmp_path / "m.tsv").write_text("where\tspecies\tlabel\nx.png\tcat\t7\n")
    with pytest.raises(
        ValueError, match="no input: expected a column image, audio, video, text; it has where, species, label"
    ):
        read_path(tmp_path / "m.tsv")
    data = read_path(tmp_path / "m.tsv", renamed={"image": "where", "label": "species"})
    assert data.samples[0].target == "cat" and data.samples[0].groups == {"label": "7"}
    with pytest.raises(ValueError, match="no column 'specis': did you mean species"):
        read_path(tmp_path / "m.tsv", renamed={"label": "specis"})
    with pytest.raises(ValueError, match="nothing is called 'imag': did you mean image"):
        read_path(tmp_path / "m.tsv", renamed={"imag": "where"})


def test_a_folder_for_each_class(tmp_path):
    for label in ("cat", "dog"):
        picture(tmp_path / label / "1.png")
    (tmp_path / "cat" / "notes.txt").write_text("not a picture")
    data = read_path(tmp_path)
    assert [(s.id, s.target) for s in data.samples] == [("cat/1.png", "cat"), ("dog/1.png", "dog")]
    assert data.choices == ("cat", "dog")


@pytest.mark.parametrize(
    "name,content,problem",
    [
        ("a.csv", "image,label\nx.png\n", "line 2: 2 cells were expected, got 1"),
        ("a.csv", "image,image\nx,y\n", "a header with a name for each column"),
        ("a.csv", "image,label\n", "holds no rows"),
        ("a.csv", "", "a header"),
        ("a.csv", 'text,label\n"open,1\n', "line 2"),
        ("a.csv", "id,text,label\n1,a,x\n1,b,y\n", "line 3: the id '1' stands already in line 2"),
        ("a.csv", "id,text,image,label\n1,,,x\n2,b,,x\n", "line 2: no input"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "line 2: is not JSON"),
        ("a.jsonl", "[1, 2]\n", "line 1: an object was expected, got list"),
        ("a.jsonl", "[" * 100_000 + "\n", "line 1: is not JSON"),
        ("a.json", '{"text": "a"}', "a list of objects was expected, got dict"),
        ("a.parquet", "PAR1nothing", "cannot be read as Parquet"),
        ("a.txt", "hello", "is no manifest"),
    ],
)
def test_broken_manifests_name_file_and_line(tmp_path, name, content, problem):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=problem) as refused:
        read_path(tmp_path / name)
    assert name in str(refused.value)


def test_what_is_not_there_or_not_plain(tmp_path, folder):
    with pytest.raises(ValueError, match="there is no file or folder"):
        read_path(tmp_path / "none")
    (folder / "other.csv").write_text("text\na\n")
    with pytest.raises(ValueError, match="several manifests .labels.csv, other.csv."):
        read_path(folder)
    (tmp_path / "latin.csv").write_bytes("text\ncaf\xe9\n".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8"):
        read_path(tmp_path / "latin.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="neither a manifest"):
        read_path(tmp_path / "empty")
    with pytest.raises(ValueError, match="not for digits"):
        assay.load_dataset("digits", columns={"image": "x"})
    with pytest.raises(ValueError, match="did you mean emoji"):
        assay.load_dataset("emojy")


def test_several_values_in_one_cell():
    assert several("a|b") == ("a", "b") and several("[1, 2.0, true]") == ("1", "2", "true")
    assert several("[not json") == ("[not json",) and several({"text": "x"}) == ("x",)


def test_vqa_in_its_published_layout(tmp_path):
    (tmp_path / "val").mkdir()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "val" / "COCO_val2014_000000000042.jpg")
    questions = {
        "data_subtype": "val2014",
        "questions": [{"question_id": 1, "image_id": 42, "question": "Is it dark?"}],
    }
    human = [{"answer": "yes", "answer_id": i, "answer_confidence": "yes"} for i in range(1, 11)]
    annotation = {"question_id": 1, "image_id": 42, "answer_type": "yes/no", "question_type": "is it", "answers": human}
    (tmp_path / "q.json").write_text(json.dumps(questions))
    (tmp_path / "a.json").write_text(json.dumps({"annotations": [{**annotation, "multiple_choice_answer": "yes"}]}))
    name = f"vqa:{tmp_path}/q.json,{tmp_path}/a.json,{tmp_path}/val"
    data = assay.load_dataset(name)
    (sample,) = data.samples
    assert sample.id == "1" and sample.references == ("yes",) * 10 and sample.groups["answer_type"] == "yes/no"
    assert sample.inputs["image"].load().shape == (4, 4, 3)
    run = assay.evaluate(lambda samples: ["yes" for _ in samples], name, task="vqa")
    assert run.estimates[0].metric == "vqa_accuracy" and run.estimates[0].value == 1.0
    (tmp_path / "a.json").write_text(json.dumps({"annotations": []}))
    with pytest.raises(ValueError, match="has no annotation of question 1"):
        assay.load_dataset(name)
    with pytest.raises(ValueError, match="expected vqa:QUESTIONS,ANNOTATIONS,IMAGES, got 1"):
        assay.load_dataset(f"vqa:{tmp_path}/q.json")


def test_coco_captions(tmp_path):
    picture(tmp_path / "images" / "x.jpg")
    (tmp_path / "captions.json").write_text(
        json.dumps(
            {
                "images": [{"id": 7, "file_name": "x.jpg"}],
                "annotations": [{"image_id": 7, "caption": "A dog."}, {"image_id": 7, "caption": "A red dog."}],
            }
        )
    )
    data = assay.load_dataset(f"coco:{tmp_path}/captions.json,{tmp_path}/images")
    assert data.samples[0].references == ("A dog.", "A red dog.") and data.asks == "captioning"


def test_a_broken_picture_is_missing_and_not_wrong(folder):
    (folder / "p1.png").write_bytes(b"\x89PNG broken")
    asked = []

    def answer(samples, choices=None):
        asked.extend(sample.id for sample in samples)
        return ["a" for _ in samples]

    run = assay.evaluate(answer, folder, task="classification")
    accuracy = run.estimates[0]
    assert (accuracy.metric, accuracy.n, accuracy.n_missing) == ("accuracy", 3, 1) and not run.complete
    assert accuracy.value == pytest.approx(2 / 3)
    assert sorted(asked) == ["p0.png", "p2.png", "p3.png"]  # each once, the broken one never


def test_sounds_with_transcripts_are_written_down(tmp_path):
    import soundfile

    for i in range(3):
        soundfile.write(tmp_path / f"{i}.wav", np.sin(np.arange(400) * 0.1), 8000)
    (tmp_path / "m.tsv").write_text("audio\ttranscript\n" + "".join(f"{i}.wav\tword number {i}\n" for i in range(3)))
    run = assay.evaluate(lambda samples: [f"word number {s.id[0]}" for s in samples], tmp_path)
    assert run.manifest.task == "transcription" and run.estimates[0].metric == "wer" and run.estimates[0].value == 0.0


def test_captions_of_a_folder_are_found_and_find(tmp_path):
    for i in range(3):
        picture(tmp_path / f"{i}.png", (100 * i, 0, 0))
    (tmp_path / "m.csv").write_text(
        "image,captions,site\n" + "".join(f"{i}.png,shade {i}|tint {i},s{i % 2}\n" for i in range(3))
    )

    class Embeds:
        name, modalities, fingerprint = "e", frozenset({"text", "image"}), "e"

        def embed(self, samples, modality=None):
            place = [
                int(s.inputs["text"][-1]) if "text" in s.inputs else s.inputs["image"].load()[0, 0, 0] // 100
                for s in samples
            ]
            return np.eye(3, dtype=np.float32)[place]

    run = assay.evaluate(Embeds(), tmp_path)
    found = {(e.slice, e.metric): (e.value, e.n) for e in run.estimates}
    assert run.manifest.task == "retrieval" and run.manifest.rows == 9
    assert found["direction=image->text", "hit@1"] == (1.0, 3) and found["direction=text->image", "hit@1"] == (1.0, 3)
    assert found["direction=image->text", "recall@10"][0] == 1.0


def test_what_is_said_is_read_and_what_cannot_be_is_counted(folder):
    run = assay.evaluate(lambda samples, choices: ["A", "it is b", "c", ""][: len(samples)], folder)
    found = {one.metric: one.value for one in run.estimates if one.slice == "all"}
    assert found["accuracy"] == 0.5 and found["unparsed"] == 0.5
