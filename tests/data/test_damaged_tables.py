"""Tables that are damaged: whatever their readers do, the program that asked goes on."""

import gzip
import io
import json
import random

import polars
import pytest
from PIL import Image

import assay
from assay.data import decoder
from assay.data.readers.folder import read_path
from assay.data.tables import read_table


def png():
    out = io.BytesIO()
    Image.new("RGB", (6, 5), (1, 2, 3)).save(out, "PNG")
    return out.getvalue()


ROWS = [{"id": i, "image": {"bytes": png(), "path": None}, "label": "ab"[i % 2], "x": i / 2} for i in range(40)]


def damaged(data, rng):
    """A few bytes changed, left out or put in."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 2, 5, 20])):
        place = rng.randrange(len(out)) if out else 0
        what = rng.random()
        if what < 0.6 and out:
            out[place] = rng.randrange(256)
        elif what < 0.8:
            del out[place:]
        else:
            out[place:place] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 4, 100])))
    return bytes(out)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_parquet_and_arrow_are_refused_or_read(tmp_path, seed):
    rng = random.Random(seed)
    polars.DataFrame(ROWS).write_parquet(tmp_path / "whole.parquet")
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "d.arrow"}]}))
    (folder / "dataset_info.json").write_text("{}")
    stream = io.BytesIO()
    polars.DataFrame(ROWS).write_ipc_stream(stream)
    refused = 0
    for _ in range(10):
        (tmp_path / "m.parquet").write_bytes(damaged((tmp_path / "whole.parquet").read_bytes(), rng))
        (folder / "d.arrow").write_bytes(damaged(stream.getvalue(), rng))
        for name in (str(tmp_path / "m.parquet"), f"hf:{folder}"):
            try:
                for sample in assay.load_dataset(name).samples[:3]:
                    for medium in sample.inputs.values():
                        medium.load()
            except ValueError as error:
                refused += 1
                assert str(tmp_path) in str(error) or "m.parquet" in str(error) or "d.arrow" in str(error)
    assert refused


def test_a_reader_that_aborts_is_told(tmp_path, monkeypatch):
    polars.DataFrame(ROWS).write_parquet(tmp_path / "m.parquet")

    class Dying(decoder.Child):
        def ask(self, asked, data, wall_s):
            self.process.kill()
            return super().ask(asked, data, wall_s)

    decoder.close()
    monkeypatch.setattr(decoder, "Child", Dying)
    with pytest.raises(ValueError, match=r"m.parquet cannot be read as Parquet: the decoder died \(SIGKILL\)"):
        read_path(tmp_path / "m.parquet")


def test_rows_keep_their_kinds(tmp_path):
    import datetime

    rows = [
        {
            "n": 2**60,
            "f": float("nan"),
            "b": True,
            "l": [1, 2],
            "d": datetime.date(2026, 1, 2),
            "t": "é\u202e",
            "z": None,
        }
    ]
    polars.DataFrame(rows).write_parquet(tmp_path / "m.parquet")
    (row,) = read_table(tmp_path / "m.parquet", "parquet").rows
    assert (row["n"], row["b"], row["l"], row["d"], row["t"], row["z"]) == (
        2**60,
        True,
        [1, 2],
        "2026-01-02",
        "é\u202e",
        None,
    )
    assert row["f"] != row["f"]


def test_a_small_file_that_would_fill_the_memory(tmp_path):
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b" " * 300_000_000, 1))
    with pytest.raises(ValueError, match="m.jsonl.gz: .* times its size"):
        read_path(tmp_path / "m.jsonl.gz")
