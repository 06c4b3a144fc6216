"""What people's own files are like: other cases, other separators, cells that are empty, huge, or of the wrong kind."""

import base64
import io
import json
import os
import struct
import zlib

import numpy as np
import polars
import pytest
from PIL import Image

import assay
from assay.data.readers.folder import read_path
from assay.types import MediaError


def png(colour=(255, 0, 0), size=(4, 3)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_case_and_spaces_of_headers_do_not_matter(tmp_path):
    data = read_path(write(tmp_path / "a.csv", "Image ,LABEL,Site\nx.png,cat,s\n"))
    assert data.samples[0].target == "cat" and data.samples[0].groups == {"Site": "s"}


def test_semicolons_and_quotes_and_blank_rows(tmp_path):
    data = read_path(write(tmp_path / "a.csv", '\ufefftext;label\r\n"a; ""b""\nc";x\r\n\r\n;\r\nd;y\r\n'))
    assert [s.inputs["text"] for s in data.samples] == ['a; "b"\nc', "d"]


def test_a_cell_may_be_huge_and_hold_anything(tmp_path):
    text = "x" * 2_000_000 + "\u202e\U0001f469\u200d\U0001f680"
    data = read_path(write(tmp_path / "a.csv", f"text,label\n{text},=cmd()\n"))
    assert data.samples[0].inputs["text"] == text and data.samples[0].target == "=cmd()"


def test_nan_is_absent_and_no_class(tmp_path):
    frame = polars.DataFrame({"text": ["a", "b", "c"], "label": [1.0, float("nan"), None]})
    frame.write_parquet(tmp_path / "a.parquet")
    data = read_path(tmp_path / "a.parquet")
    assert [s.target for s in data.samples] == ["1", None, None] and data.choices == ("1",)


@pytest.mark.parametrize(
    "row,problem",
    [
        ({"image": ["a.png", "b.png"]}, "line 1: the path of one image was expected"),
        ({"image": True}, "line 1: the path of one image"),
        ({"image": "data:image/png;base64,@@"}, "line 1: base64 was expected"),
        ({"image": "data:image/png,raw"}, "line 1: a data: address in base64"),
        ({"text": "a", "label": ["x", "y"]}, "line 1: one label, a text or a number"),
        ({"text": "a", "id": {"x": 1}}, "line 1: an id as a text or a number"),
        ({"text": "a", "id": "x" * 501}, "line 1: the id is too long"),
        ({"text": "a", "id": "x\0"}, "line 1: the id is too long, or holds a NUL"),
    ],
)
def test_values_of_the_wrong_kind_name_the_line(tmp_path, row, problem):
    with pytest.raises(ValueError, match=problem):
        read_path(write(tmp_path / "a.jsonl", json.dumps(row) + "\n"))


def test_ids_that_differ_in_kind_alone_are_one(tmp_path):
    with pytest.raises(ValueError, match="line 2: the id '1' stands already in line 1"):
        read_path(write(tmp_path / "a.jsonl", '{"id": 1, "text": "a"}\n{"id": "1", "text": "b"}\n'))


def test_half_a_character_becomes_a_whole_one(tmp_path):
    line = '{"text": "a \\ud800 b", "label": "\\udfff", "id": "x"}\n'
    data = read_path(write(tmp_path / "a.jsonl", line))
    assert data.samples[0].inputs["text"] == "a \ufffd b" and data.choices == ("\ufffd",)
    run = assay.evaluate(lambda samples, choices: ["x" for _ in samples], data, out=tmp_path / "run")
    assert run.estimates[0].value == 0.0


def test_pictures_inside_the_manifest(tmp_path):
    inside = "data:image/png;base64," + base64.b64encode(png()).decode()
    data = read_path(write(tmp_path / "a.jsonl", json.dumps({"id": "a", "image": inside, "label": "x"}) + "\n"))
    assert data.samples[0].inputs["image"].load().shape == (3, 4, 3)
    rows = [{"bytes": png((i, 0, 0)), "path": f"{i}.png"} for i in range(70)]
    rows[5] = {"bytes": None, "path": None}
    polars.DataFrame({"image": rows, "label": [str(i % 2) for i in range(70)]}).write_parquet(tmp_path / "p.parquet")
    polars.DataFrame({"image": [png((9, 9, 9))], "text": ["t"]}).write_parquet(tmp_path / "q.parquet")
    (pictured,) = read_path(tmp_path / "q.parquet").samples
    assert pictured.inputs["image"].load()[0, 0].tolist() == [9, 9, 9]
    with pytest.raises(ValueError, match="row 5: no input"):
        read_path(tmp_path / "p.parquet")
    rows[5] = rows[4]
    polars.DataFrame({"image": rows, "label": [str(i % 2) for i in range(70)]}).write_parquet(tmp_path / "p.parquet")
    data = read_path(tmp_path / "p.parquet")
    shades = [int(s.inputs["image"].load()[0, 0, 0]) for s in data.samples]
    assert shades == [4 if i == 5 else i for i in range(70)]


def test_json_lines_in_a_json_file_and_gzip(tmp_path):
    import gzip

    lines = '{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n'
    assert len(read_path(write(tmp_path / "a.json", lines))) == 2
    assert len(read_path(write(tmp_path / "b.jsonl.gz", gzip.compress(lines.encode())))) == 2


def test_a_question_stands_after_its_text(tmp_path):
    data = read_path(write(tmp_path / "a.csv", "text,question,answer\nThe cat is red.,Which colour?,red\n"))
    assert data.samples[0].inputs["text"] == "The cat is red.\nWhich colour?" and data.asks == "vqa"


def test_files_are_what_their_endings_say(tmp_path):
    assert "audio" in read_path(write(tmp_path / "a.csv", "file_name,label\nx.wav,a\n")).modalities
    assert "image" in read_path(write(tmp_path / "b.csv", "path,label\nx.JPG,a\n")).modalities
    with pytest.raises(ValueError, match="no input"):
        read_path(write(tmp_path / "c.csv", "path,label\nx.txt,a\n"))


@pytest.fixture
def hostile(tmp_path):
    """One whole picture among files that are none of the folder's business."""
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "whole.png", png())
    write(folder / "cut.png", png(size=(40, 40))[:60])
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    names = ["whole.png", "cut.png", "link", "loop", "pipe.png", "folder.png", "../../../../etc/passwd", "/etc/passwd"]
    names += ["http://127.0.0.1:9/x.png", "file:///etc/passwd", "/dev/zero", "none.png", "x" * 300 + ".png"]
    write(folder / "m.csv", "image,label\n" + "".join(f"{name},{'ab'[i % 2]}\n" for i, name in enumerate(names)))
    return folder, names


def test_paths_that_lead_nowhere_good_lose_themselves_alone(hostile):
    folder, names = hostile
    run = assay.evaluate(lambda samples, choices: ["a" for _ in samples], folder, task="classification")
    accuracy = run.estimates[0]
    assert (accuracy.value, accuracy.n, accuracy.n_missing) == (1.0, 1, len(names) - 1)
    told = json.dumps(run.errors())
    assert "root:" not in told and "only local files are read" in told


def test_a_decompression_bomb_is_refused(tmp_path):
    whole = bytearray(png())
    whole[16:24] = struct.pack(">II", 30_000, 30_000)  # what the header promises
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    write(tmp_path / "bomb.png", bytes(whole))
    data = read_path(write(tmp_path / "m.csv", "image,label\nbomb.png,a\n"))
    with pytest.raises(MediaError, match="bomb.png: .*(limit|bomb)"):
        data.samples[0].inputs["image"].load()


def test_folders_of_classes_in_folders_of_splits(tmp_path):
    for split in ("test", "train"):
        for label in ("cat", "dog"):
            (tmp_path / split / label).mkdir(parents=True)
            write(tmp_path / split / label / "1.png", png())
    (tmp_path / ".git" / "cat").mkdir(parents=True)
    write(tmp_path / ".git" / "cat" / "1.png", png())
    data = read_path(tmp_path)
    assert [(s.id, s.target, s.groups["split"]) for s in data.samples] == [
        ("test/cat/1.png", "cat", "test"),
        ("test/dog/1.png", "dog", "test"),
        ("train/cat/1.png", "cat", "train"),
        ("train/dog/1.png", "dog", "train"),
    ]


def test_many_values_are_no_slices(tmp_path):
    rows = "".join(f"t{i},{i % 2},g{i % 300},s{i % 3}\n" for i in range(900))
    assert read_path(write(tmp_path / "a.csv", f"text,label,wide,narrow\n{rows}")).slices == ("narrow",)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "JPEG", "TIFF"])
def test_pictures_of_every_kind_through_a_manifest(tmp_path, kind):
    frames = [
        Image.new("P" if kind == "GIF" else "CMYK" if kind in ("JPEG", "TIFF") else "RGB", (6, 5)) for _ in range(2)
    ]
    more = {"save_all": True, "append_images": frames[1:]} if kind in ("GIF", "WEBP") else {}
    frames[0].save(tmp_path / f"a.{kind.lower()}", kind, **more)
    data = read_path(write(tmp_path / "m.csv", f"image,label\na.{kind.lower()},x\n"))
    pixels = data.samples[0].inputs["image"].load()
    assert pixels.shape == (5, 6, 3) and pixels.dtype == np.uint8
