"""Benchmarks and containers in their published layouts: what is read, and what is refused with its place."""

import io
import json
import pickle
import sys
import tarfile
import types

import polars
import pytest
from PIL import Image

import assay
from assay.data.readers.webdataset import found_shards
from assay.types import MediaError


def png(colour=(255, 0, 0), size=(4, 3)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def red(sample):
    return int(sample.inputs["image"].load()[0, 0, 0])


def dumped(path, value):
    path.write_text(json.dumps(value))
    return path


# --- Karpathy, Flickr30k


@pytest.fixture
def split_file(tmp_path):
    """Six pictures of ``dataset_coco.json``: one in train, one in restval, four in test, two of them with one caption alike."""
    (tmp_path / "val2014").mkdir()
    images = []
    for i, split in enumerate(["train", "restval", "test", "test", "test", "test"]):
        name = f"COCO_val2014_{i:012d}.jpg"
        (tmp_path / "val2014" / name).write_bytes(png((i, 0, 0)))
        raw = [f"caption {j} of {i}" for j in range(6)]
        raw[0] = "the same words" if i > 3 else raw[0]
        sentences = [
            {"raw": text, "tokens": text.split(), "imgid": i, "sentid": 6 * i + j} for j, text in enumerate(raw)
        ]
        images.append(
            {
                "filepath": "val2014",
                "filename": name,
                "imgid": i,
                "cocoid": 100 + i,
                "split": split,
                "sentences": sentences,
            }
        )
    return dumped(tmp_path / "dataset_coco.json", {"dataset": "coco", "images": images})


def test_karpathys_split(split_file):
    data = assay.load_dataset(f"karpathy:{split_file},{split_file.parent}")
    assert [s.id for s in data.samples] == ["102", "103", "104", "105"] and data.asks == "captioning"
    assert len(data.samples[0].references) == 6 and red(data.samples[3]) == 5
    both = assay.load_dataset(f"karpathy:{split_file},{split_file.parent},train+restval")
    assert [s.groups["split"] for s in both.samples] == ["train", "restval"]
    with pytest.raises(ValueError, match="has no split 'tests': did you mean test"):
        assay.load_dataset(f"karpathy:{split_file},{split_file.parent},tests")
    given = json.loads(split_file.read_text())
    del given["images"][2]["sentences"][1]["raw"]
    with pytest.raises(ValueError, match="record 2: 'raw' is missing"):
        assay.load_dataset(f"karpathy:{dumped(split_file, given)},{split_file.parent}")


@pytest.mark.parametrize("form", ["{0}.jpg#{1}\tA dog , number {1} .\n", "{0}.jpg| {1}| A dog , number {1} .\n"])
def test_flickr30k_captions(tmp_path, form):
    (tmp_path / "1.jpg").write_bytes(png((7, 0, 0)))
    header = "image_name| comment_number| comment\n" if "|" in form else ""
    (tmp_path / "t.token").write_text(header + "".join(form.format(i, j) for i in (1, 2) for j in range(5)))
    data = assay.load_dataset(f"flickr30k:{tmp_path}/t.token,{tmp_path}")
    assert [s.id for s in data.samples] == ["1.jpg", "2.jpg"] and red(data.samples[0]) == 7
    assert data.samples[1].references[4] == "A dog , number 4 ."
    with pytest.raises(MediaError, match=r"2.jpg: cannot be opened"):
        data.samples[1].inputs["image"].load()
    (tmp_path / "t.token").write_text("1.jpg#0\tfine\nno caption here\n")
    with pytest.raises(ValueError, match="line 2: FILE#NUMBER"):
        assay.load_dataset(f"flickr30k:{tmp_path}/t.token,{tmp_path}")


# --- COCO instances


def test_coco_instances(tmp_path):
    given = {
        "images": [{"id": 7, "file_name": "x.png", "width": 4, "height": 3}, {"id": 8, "file_name": "y.png"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": [0, 1, 2, 2], "iscrowd": 1, "area": 4}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
    }
    (tmp_path / "x.png").write_bytes(png())
    data = assay.load_dataset(f"coco:{dumped(tmp_path / 'i.json', given)},{tmp_path}")
    assert data.choices == ("dog", "car") and data.asks == ""
    assert data.samples[0].target == {"boxes": [[0.0, 1.0, 2.0, 2.0]], "labels": ["dog"], "crowd": [1]}
    assert data.samples[1].target == {"boxes": [], "labels": [], "crowd": []}
    for bad in ([0, 1, -2, 2], [0, 1, 2], None, [0, 0, float("inf"), 1], "x"):
        given["annotations"][0]["bbox"] = bad
        (tmp_path / "i.json").write_text(json.dumps(given).replace("Infinity", "1e999"))
        with pytest.raises(ValueError, match=r"i.json, record 0: 'bbox'"):
            assay.load_dataset(f"coco:{tmp_path}/i.json,{tmp_path}")
    given["annotations"][0].update(bbox=[0, 0, 1, 1], category_id=99)
    with pytest.raises(ValueError, match="record 0: image 7 or category 99 is not in the file"):
        assay.load_dataset(f"coco:{dumped(tmp_path / 'i.json', given)},{tmp_path}")


# --- WebDataset


def shard(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return path


def test_webdataset_shards(tmp_path):
    for n in range(3):
        keys = [2 * n, 2 * n + 1]
        shard(
            tmp_path / f"s-{n:06d}.tar",
            [
                member
                for k in keys
                for member in (
                    (f"{k:04d}.png", png((k, 0, 0))),
                    (f"{k:04d}.cls", str(k % 2).encode()),
                    (f"{k:04d}.json", json.dumps({"site": "s", "width": 4}).encode()),
                    (f"{k:04d}.pth", b"never opened"),
                )
            ],
        )
    data = assay.load_dataset(f"webdataset:{tmp_path}/s-{{000000..000002}}.tar")
    assert [s.id for s in data.samples] == [f"{k:04d}" for k in range(6)] and data.choices == ("0", "1")
    assert [red(s) for s in data.samples] == list(range(6)) and data.samples[0].groups == {"site": "s", "width": "4"}
    for name in (f"{tmp_path}", f"{tmp_path}/*.tar"):
        assert len(assay.load_dataset(f"webdataset:{name}")) == 6
    run = assay.evaluate(lambda samples, choices: ["1" for _ in samples], f"webdataset:{tmp_path}")
    assert run.estimates[0].value == 0.5
    with pytest.raises(ValueError, match="no shard .*000003"):
        assay.load_dataset(f"webdataset:{tmp_path}/s-{{000002..000003}}.tar")


def test_captions_in_a_shard(tmp_path):
    shard(tmp_path / "a.tar", [("d/1.2.png", png()), ("d/1.txt", b"\xef\xbb\xbfa red thing\n"), ("d/1.jpg", png())])
    (sample,) = assay.load_dataset(f"webdataset:{tmp_path}/a.tar").samples
    assert sample.id == "d/1" and sample.references == ("a red thing",) and sample.inputs["text"] == "a red thing"
    assert sample.inputs["image"].source == "a.tar/d/1.2.png"


def link(kind):
    about = tarfile.TarInfo("1.png")
    about.type, about.linkname = kind, "/etc/passwd"
    return about


@pytest.mark.parametrize(
    "members,problem",
    [
        ([("1.png", link(tarfile.SYMTYPE))], "is no plain file"),
        ([("1.png", link(tarfile.LNKTYPE))], "is no plain file"),
        ([("1.png", link(tarfile.CHRTYPE))], "is no plain file"),
        ([("1.png", link(tarfile.FIFOTYPE))], "is no plain file"),
        ([("1.png", b"x"), ("1.png", b"y")], "'1.png' occurs twice"),
        ([("1.png", b"x"), ("2.png", b"x"), ("1.txt", b"y")], "'1' occurs twice"),
        ([("1.cls", b"x")], "the sample '1' has no input among cls"),
        ([("1.png", b"x"), ("1.json", b"{")], "the member '1.json': is not JSON"),
        ([("1.png", b"x"), ("1.json", b"[]")], "an object was expected, got list"),
        ([("1.txt", b"\xff\xfe")], "the member '1.txt' is not UTF-8"),
        ([], "holds no samples"),
    ],
)
def test_shards_that_are_refused(tmp_path, members, problem):
    shard(tmp_path / "a.tar", members)
    with pytest.raises(ValueError, match=problem):
        assay.load_dataset(f"webdataset:{tmp_path}/a.tar")


def test_names_in_a_tar_are_names_alone(tmp_path):
    shard(tmp_path / "a.tar", [("../../x.png", png()), ("/abs/y.png", png()), (".hidden.png", png())])
    data = assay.load_dataset(f"webdataset:{tmp_path}/a.tar")
    assert [s.id for s in data.samples] == ["../../x", "/abs/y"] and red(data.samples[0]) == 255
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar"]


def test_a_shard_that_is_cut(tmp_path):
    whole = shard(tmp_path / "a.tar", [("1.png", png()), ("2.png", png(size=(600, 600)) + bytes(20_000))])
    data = assay.load_dataset(f"webdataset:{whole}")
    whole.write_bytes(whole.read_bytes()[:3_000])
    assert red(data.samples[0]) == 255
    with pytest.raises(MediaError, match="ends before its"):
        data.samples[1].inputs["image"].load()
    (tmp_path / "b.tar").write_bytes(b"\x1f\x8b" + bytes(2_000))
    with pytest.raises(ValueError, match="is no whole tar"):
        assay.load_dataset(f"webdataset:{tmp_path}/b.tar")


def test_ranges_of_shards(tmp_path):
    with pytest.raises(ValueError, match="a range of 1 to"):
        found_shards("s-{5..3}.tar")
    with pytest.raises(ValueError, match="a range of 1 to"):
        found_shards("s-{0..999}-{0..999}.tar")
    with pytest.raises(ValueError, match="there are no shards"):
        found_shards(f"{tmp_path}/*.tar")


# --- Hugging Face


def arrow(folder, rows, features, parts=1):
    """A folder as ``datasets.Dataset.save_to_disk`` writes it."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05d}-of-{parts:05d}.arrow" for i in range(parts)]
    for i, name in enumerate(names):
        with (folder / name).open("wb") as file:
            polars.DataFrame(rows[i::parts]).write_ipc_stream(file)
    dumped(folder / "state.json", {"_data_files": [{"filename": name} for name in names], "_split": None})
    dumped(folder / "dataset_info.json", {"features": features, "license": ""})
    return folder


FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    "site": {"dtype": "string", "_type": "Value"},
}
ROWS = [{"image": {"bytes": png((i, 0, 0)), "path": None}, "label": i % 2, "site": "s"} for i in range(5)]


def test_a_saved_folder_and_several_splits(tmp_path):
    arrow(tmp_path / "one", ROWS, FEATURES)
    data = assay.load_dataset(f"hf:{tmp_path}/one")
    assert data.choices == ("cat", "dog") and [red(s) for s in data.samples] == [0, 1, 2, 3, 4]
    assert [s.target for s in data.samples] == ["cat", "dog", "cat", "dog", "cat"]
    arrow(tmp_path / "two" / "train", ROWS, FEATURES, parts=2)
    arrow(tmp_path / "two" / "test", ROWS[:2], FEATURES)
    dumped(tmp_path / "two" / "dataset_dict.json", {"splits": ["train", "test"]})
    assert len(assay.load_dataset(f"hf:{tmp_path}/two")) == 2
    train = assay.load_dataset(f"hf:{tmp_path}/two:train")
    assert [red(s) for s in train.samples] == [0, 2, 4, 1, 3] and train.samples[0].groups["split"] == "train"
    with pytest.raises(ValueError, match="no split 'tran': did you mean train"):
        assay.load_dataset(f"hf:{tmp_path}/two:tran")
    (tmp_path / "one" / "data-00000-of-00001.arrow").write_bytes(b"not arrow")
    with pytest.raises(ValueError, match="cannot be read as an Arrow stream"):
        assay.load_dataset(f"hf:{tmp_path}/one")


def test_parquet_as_it_is_on_the_hub(tmp_path):
    (tmp_path / "data").mkdir()
    told = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    for split, rows in (("train", ROWS), ("test", [{**ROWS[3], "label": -1}, ROWS[1]])):
        polars.DataFrame(rows).write_parquet(tmp_path / "data" / f"{split}-00000-of-00001.parquet", metadata=told)
    data = assay.load_dataset(f"hf:{tmp_path}")
    assert [(red(s), s.target) for s in data.samples] == [(3, None), (1, "dog")]
    assert len(assay.load_dataset(f"hf:{tmp_path}:train")) == 5
    run = assay.evaluate(lambda samples, choices: ["cat" for _ in samples], f"hf:{tmp_path}:train")
    assert run.estimates[0].value == pytest.approx(0.6)


def test_folders_of_plain_files_by_split(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "a.png").write_bytes(png())
        (tmp_path / split / "metadata.csv").write_text("file_name,text\na.png,a red thing\n")
    (sample,) = assay.load_dataset(f"hf:{tmp_path}").samples
    assert sample.groups["split"] == "test" and red(sample) == 255
    with pytest.raises(ValueError, match="there is no folder"):
        assay.load_dataset("hf:/no/such/folder")


def test_a_name_on_the_hub(monkeypatch):
    """Through a stand-in for `datasets`, which no test may ask the network for; the real one was tried by hand."""

    class Image:
        def __init__(self, decode=True):
            self.decode = decode

    class ClassLabel:
        def __init__(self):
            self.names = ["cat", "dog"]

    class Found:
        _fingerprint = "f"
        cast = ()

        def __init__(self):
            self.features = {"image": Image(), "label": ClassLabel()}

        def cast_column(self, name, feature):
            assert (name, feature.decode) == ("image", False)
            self.cast = (name,)
            return self

        def __iter__(self):
            assert self.cast
            yield from ({"image": row["image"], "label": row["label"]} for row in ROWS)

    stand_in = types.ModuleType("datasets")
    stand_in.get_dataset_split_names = lambda name: ["train", "test"]
    stand_in.load_dataset = lambda name, split: Found() if (name, split) == ("org/name", "train") else None
    monkeypatch.setitem(sys.modules, "datasets", stand_in)
    data = assay.load_dataset("hf:org/name:train")
    assert [(red(s), s.target, s.groups["split"]) for s in data.samples][:2] == [
        (0, "cat", "train"),
        (1, "dog", "train"),
    ]
    with pytest.raises(ValueError, match="org/name has no split 'tran': did you mean train"):
        assay.load_dataset("hf:org/name:tran")
    stand_in.get_dataset_split_names = lambda name: 1 / 0
    with pytest.raises(ValueError, match="org/name cannot be had from the hub: ZeroDivisionError"):
        assay.load_dataset("hf:org/name")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match="names on the hub need: pip install datasets"):
        assay.load_dataset("hf:org/name")


def test_samples_travel_to_other_processes(tmp_path):
    arrow(tmp_path / "saved", ROWS, FEATURES)
    polars.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet")
    shard(tmp_path / "a.tar", [("1.png", png((1, 0, 0))), ("2.png", png((2, 0, 0)))])
    for name in (f"hf:{tmp_path}/saved", f"{tmp_path}/a.parquet", f"webdataset:{tmp_path}/a.tar"):
        sample = assay.load_dataset(name).samples[1]
        data = pickle.dumps(sample)
        assert red(pickle.loads(data)) == red(sample) and len(data) < 3_000


# --- ActivityNet


def test_sentences_with_times(tmp_path):
    given = {"v_a": {"duration": 82.7, "timestamps": [[0.8, 19.9], [17.4, 60.8]], "sentences": ["One.", " Two."]}}
    (tmp_path / "v_a.mkv").write_bytes(b"a film")
    name = f"activitynet:{dumped(tmp_path / 'val_1.json', given)},{tmp_path}"
    data = assay.load_dataset(name)
    assert [(s.id, s.inputs["text"], s.target["segments"]) for s in data.samples] == [
        ("v_a#0", "One.", [[0.8, 19.9]]),
        ("v_a#1", "Two.", [[17.4, 60.8]]),
    ]
    assert data.samples[0].inputs["video"].source == "v_a.mkv" and data.samples[0].groups == {"video": "v_a"}
    for bad in ([5, 3], [0, 99], [1], None, [0, "1"], [-1, 2]):
        given["v_a"]["timestamps"][1] = bad
        dumped(tmp_path / "val_1.json", given)
        with pytest.raises(ValueError, match=r"'v_a', sentence 1: (\[start, end\]|ends at 99 s)"):
            assay.load_dataset(name)
    given["v_a"]["timestamps"] = []
    dumped(tmp_path / "val_1.json", given)
    with pytest.raises(ValueError, match="0 timestamps, but 2 sentences"):
        assay.load_dataset(name)


def test_labelled_segments(tmp_path):
    one = {"duration": 30.0, "subset": "validation", "annotations": [{"segment": [1, 9.5], "label": "Surfing"}]}
    given = {"version": "VERSION 1.3", "database": {"a": one, "b": {**one, "annotations": []}}, "taxonomy": []}
    name = f"activitynet:{dumped(tmp_path / 'a.json', given)},{tmp_path}"
    data = assay.load_dataset(name)
    assert data.choices == ("Surfing",) and data.samples[0].groups["split"] == "validation"
    assert data.samples[0].target == {"segments": [[1.0, 9.5]], "labels": ["Surfing"]}
    assert data.samples[1].target == {"segments": [], "labels": []}
    one["annotations"] = [{"segment": [1, 2]}]
    dumped(tmp_path / "a.json", given)
    with pytest.raises(ValueError, match="'a', annotation 0: 'segment' and 'label'"):
        assay.load_dataset(name)
