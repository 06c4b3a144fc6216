"""The index of runs, in SQLite and in a real PostgreSQL: noted, listed, found, shown, removed."""

import io
import json
import sys
import threading

import pytest
from evaluation_fakes import Scorer, labelled
from postgres_cluster import cluster, programs

from assay.cli import main
from assay.evaluation.errors import StoreError
from assay.evaluation.evaluate import evaluate
from assay.evaluation.lock import locked
from assay.evaluation.run import load_run
from assay.evaluation.tasks import classification

index = pytest.importorskip("assay.evaluation.index", reason="assay[store] is not installed", exc_type=ImportError)


@pytest.fixture(scope="module")
def postgres():
    pytest.importorskip("psycopg", reason="assay[store] is not installed")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'deep' / 'index.sqlite'}"
        return
    running = request.getfixturevalue("postgres")
    yield running.url
    with index.opened(running.url) as opened:
        index.forget(opened, [row["id"] for row in index.listed(opened)])


def made(folder, name="fake", **faults):
    task = classification(labelled(12), measures=["accuracy", "nll"])
    return evaluate(Scorer(name=name, **faults), task, out=folder, speed=False)


def test_a_run_is_noted_found_and_forgotten(store, tmp_path):
    one, two = made(tmp_path / "one"), made(tmp_path / "two", "other\0\ud800")
    with index.opened(store) as opened:
        first, second = index.note(opened, one), index.note(opened, two)
        assert {row["id"] for row in index.listed(opened)} == {first, second}
        row = index.found(opened, str(tmp_path / "one"))
        assert row["id"] == first and (row["planned"], row["missing"], row["complete"]) == (one.planned, 0, True)
        assert index.found(opened, first[:6]) == row
        told = index.figures_of(opened, first)
        assert [(r["metric"], r["slice"], r["value"]) for r in told] == [
            (e.metric, e.slice, e.value) for e in one.estimates
        ]
        head = next(row for row in index.listed(opened) if row["id"] == first)
        assert (head["metric"], head["value"], head["n"]) == ("accuracy", one.headline.value, one.headline.n)
        assert [row["id"] for row in index.listed(opened, model="fake")] == [first]
        assert index.listed(opened, task="vqa") == []
        noted = row["noted"]
        index.note(opened, one)
        assert index.found(opened, first)["noted"] == noted, "the same run was written again"
        index.forget(opened, [first])
        with pytest.raises(ValueError, match="no run"):
            index.found(opened, first)
        assert len(index.figures_of(opened, first)) == 0 and len(index.listed(opened)) == 1


def test_undefined_figures_are_null(store, tmp_path):
    def broken():
        raise RuntimeError("down")

    run = made(tmp_path / "run", faults={f"s{i:02d}": broken for i in range(12)})
    with index.opened(store) as opened:
        name = index.note(opened, run)
        assert index.figures_of(opened, name)[0]["value"] is None
        assert index.found(opened, name)["status"].startswith("incomplete 0/")


def test_writers_at_once_lose_nothing(store, tmp_path):
    runs = [made(tmp_path / f"{i}") for i in range(4)]
    failed: list[BaseException] = []

    def write(run):
        try:
            with index.opened(store) as opened:
                for _ in range(3):
                    index.note(opened, run)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(run,)) for run in runs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with index.opened(store) as opened:
        assert len(index.listed(opened)) == 4


def test_a_server_that_stops_is_told_without_the_password_and_comes_back(postgres, tmp_path):
    run = made(tmp_path / "run")
    with index.opened(postgres.url) as opened:
        name = index.note(opened, run)
        postgres.stop()
        with pytest.raises(StoreError) as told:
            index.listed(opened)
        assert "secret" not in str(told.value) and "127.0.0.1" in str(told.value)
        postgres.start()
        assert [row["id"] for row in index.listed(opened)] == [name], "what was noted is lost"
        index.forget(opened, [name])


@pytest.mark.parametrize("url", ["mysql://root:hidden@host/db", "://hidden", "redis://hidden"])
def test_what_is_no_store_is_refused_without_being_repeated(url):
    with pytest.raises(ValueError, match="SQLite file") as told, index.opened(url):
        pass
    assert "hidden" not in str(told.value)


def test_a_store_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError), index.opened(str(tmp_path / "file" / "index.sqlite")):
        pass
    with pytest.raises(StoreError, match="not a database"), index.opened(str(tmp_path / "file")):
        pass


def test_the_command(tmp_path, capsys, monkeypatch):
    store = str(tmp_path / "index.sqlite")
    for name in ("one", "two"):
        made(tmp_path / name, name)
    assert main(["runs", "add", str(tmp_path / "one"), str(tmp_path / "two"), "--store", store, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["added"]
    assert main(["runs", "list", "--store", store]) == 0
    said = capsys.readouterr().out
    assert first in said and "accuracy" in said and "complete" in said
    assert main(["runs", "--store", store, "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)["runs"]] == [second, first]
    assert main(["runs", "show", first, "--store", store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["estimates"][0]["metric"] == "accuracy"
    assert main(["runs", "show", first, "--store", store]) == 0
    assert "nll" in capsys.readouterr().out
    assert main(["runs", "rm", first, "--store", store]) == 2
    assert "--yes" in capsys.readouterr().err and (tmp_path / "one").exists()

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    assert main(["runs", "rm", first, "--store", store]) == 2 and (tmp_path / "one").exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    (tmp_path / "one" / "mine.txt").write_text("keep me")
    assert main(["runs", "rm", first, "--store", store]) == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["mine.txt"]
    assert "mine.txt" in capsys.readouterr().out
    with locked(tmp_path / "two"):
        assert main(["runs", "rm", second, "--store", store, "--yes"]) == 75
    assert load_run(tmp_path / "two").complete
    assert main(["runs", "rm", second, "--store", store, "--yes"]) == 0 and not (tmp_path / "two").exists()
    assert main(["runs", "list", "--store", store]) == 0
    assert "no runs in" in capsys.readouterr().out
    assert main(["runs", "lst", "--store", store]) == 2
    assert "did you mean list?" in capsys.readouterr().err


def test_what_is_evaluated_is_noted(tmp_path, capsys):
    store = str(tmp_path / "index.sqlite")
    command = ["evaluate", "baseline:chance", "digits:test[:20]", "--task", "classification", "--out"]
    assert main([*command, str(tmp_path / "run"), "--store", store, "--json"]) == 0
    assert main([*command, str(tmp_path / "other"), "--store", "none", "--json"]) == 0
    capsys.readouterr()
    assert main(["runs", "list", "--store", store, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["runs"]
    assert row["folder"] == str(tmp_path / "run") and row["model"] == "baseline:chance"
    assert main([*command, str(tmp_path / "third"), "--store", str(tmp_path / "run" / "manifest.json")]) == 74
    assert "manifest.json" in capsys.readouterr().err
