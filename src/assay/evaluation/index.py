"""The index of runs: who was measured on what, with which figures. SQLite by default, PostgreSQL where people share it.

It holds no answers and can be rebuilt from the runs' folders at any time (``assay runs add``); a run's folder stays the record. A run is
known by its machine and folder; noting it again replaces what was said of it. Needs ``assay[store]``.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    or_,
    select,
)
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.schema import CreateTable

from assay.evaluation.errors import StoreError
from assay.evaluation.run import Run

AGAIN = (
    "40001",
    "40P01",
    "23505",
    "42P07",
)  # PostgreSQL: serialization failure, deadlock; what somebody else made meanwhile
ATTEMPTS = 5
PATIENCE_S = 30

tables = MetaData()
RUNS = Table(
    "assay_runs",
    tables,
    Column("id", String(12), primary_key=True),
    Column("machine", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("task", String, nullable=False),
    Column("model", String, nullable=False),
    Column("data", String, nullable=False),
    Column("configuration", String, nullable=False),
    Column("status", String, nullable=False),
    Column("planned", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("noted", String, nullable=False),
)
ESTIMATES = Table(
    "assay_estimates",
    tables,
    Column("run", String(12), ForeignKey("assay_runs.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("metric", String, nullable=False),
    Column("slice", String, nullable=False),
    Column("condition", String, nullable=False),
    Column("value", Double),
    Column("low", Double),
    Column("high", Double),
    Column("n", Integer, nullable=False),
    Column("n_missing", Integer, nullable=False),
    Column("unit", String, nullable=False),
    Column("signature", String, nullable=False),
)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Index:
    """An open index."""

    engine: Engine

    @property
    def name(self) -> str:
        """Where it is, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def within(self, work: Callable[[Connection], Found]) -> Found:
        """What ``work`` gives, in one transaction, tried again where the server asks for that. `StoreError` when it fails."""
        for attempt in range(ATTEMPTS):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                again = getattr(error.orig, "sqlstate", None) in AGAIN or error.connection_invalidated
                if not again or attempt == ATTEMPTS - 1:
                    raise StoreError(f"the index {self.name} cannot be used: {reason(error)}") from None
                time.sleep(0.05 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


def default_store() -> str:
    """SQLite in the user's data folder (``XDG_DATA_HOME``)."""
    root = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return f"sqlite:///{root / 'assay' / 'runs.sqlite'}"


@contextmanager
def opened(store: str = "") -> Iterator[Index]:
    """The index at a URL of SQLAlchemy's (empty: `default_store`), made if it is not there.

    `ValueError` for what is no such URL, `StoreError` when the server or the file cannot be reached.
    """
    url = address(store or default_store())
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": PATIENCE_S}
        if url.database not in (None, "", ":memory:"):
            make_folder(Path(str(url.database)).parent)
    else:
        options["connect_args"] = {"connect_timeout": PATIENCE_S}
    engine = create_engine(url, **options)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", checked)
    index = Index(engine)
    try:
        index.within(make_tables)
        yield index
    finally:
        engine.dispose()


def make_tables(connection: Connection) -> None:
    """The tables, where they are not there; somebody else may be making them just now."""
    for table in tables.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))


def checked(connection: Any, record: Any) -> None:
    """SQLite holds foreign keys only where it is asked to."""
    connection.execute("PRAGMA foreign_keys = ON")


def address(store: str) -> URL:
    """A URL of SQLAlchemy's; a plain path is SQLite's file, ``postgresql://`` is asked through psycopg.

    >>> address("postgresql://me@host/db").drivername, str(address("index.sqlite"))
    ('postgresql+psycopg', 'sqlite:///index.sqlite')
    """
    try:
        url = make_url(store if "://" in store else f"sqlite:///{store}")
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise ValueError
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ValueError(
            "a store is the path of an SQLite file, or postgresql://USER:PASSWORD@HOST/DATABASE; this is neither."
        ) from None
    return url


def make_folder(folder: Path) -> None:
    """The folder of an SQLite file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made for the index of runs: {error}") from error


def reason(error: DBAPIError) -> str:
    """What the database said, in a line. (SQLAlchemy's own text has the statement and its values.)"""
    return " ".join(str(error.orig).split())[:300]


def key(folder: str | Path) -> str:
    """By what a run in a folder of this machine is known."""
    return hashlib.sha256(f"{platform.node()}\0{Path(folder).absolute()}".encode("utf-8", "surrogatepass")).hexdigest()[
        :12
    ]


def note(index: Index, run: Run) -> str:
    """Notes a kept run with its figures, in the place of what was noted of it before; its key. What is there already stays untouched."""
    assert run.folder is not None, "only a run that is kept in a folder can be found again"
    name = key(run.folder)
    row = {
        "id": name,
        "machine": platform.node(),
        "folder": text(str(Path(run.folder).absolute())),
        "task": text(run.manifest.task),
        "model": text(run.manifest.model),
        "data": text(run.manifest.data),
        "configuration": run.manifest.configuration.hash,
        "status": run.status,
        "planned": run.planned,
        "missing": run.missing,
        "complete": run.complete,
        "noted": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    figures = [
        {
            "run": name,
            "place": place,
            **{field: text(getattr(one, field)) for field in ("metric", "slice", "condition", "unit", "signature")},
            **{field: finite(getattr(one, field)) for field in ("value", "low", "high")},
            "n": one.n,
            "n_missing": one.n_missing,
        }
        for place, one in enumerate(run.estimates)
    ]

    def work(connection: Connection) -> None:
        if there(connection, row, figures):
            return
        # The run's own row comes first: who has written it holds it, and another writer of the same run waits.
        made = upsert(connection, RUNS).values(row)
        rest = {column: value for column, value in row.items() if column != "id"}
        connection.execute(made.on_conflict_do_update(index_elements=[RUNS.c.id], set_=rest))
        connection.execute(delete(ESTIMATES).where(ESTIMATES.c.run == name))
        if figures:
            connection.execute(insert(ESTIMATES), figures)

    index.within(work)
    return name


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT of the database's own kind, which can say what to do where the row is there."""
    from sqlalchemy.dialects import postgresql, sqlite

    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def there(connection: Connection, row: dict[str, Any], figures: list[dict[str, Any]]) -> bool:
    """Whether the same is noted already."""
    noted = connection.execute(select(RUNS).where(RUNS.c.id == row["id"])).mappings().first()
    if noted is None or {**noted, "noted": row["noted"]} != row:
        return False
    query = select(ESTIMATES).where(ESTIMATES.c.run == row["id"]).order_by(ESTIMATES.c.place)
    return [dict(one) for one in connection.execute(query).mappings()] == figures


def text(value: str) -> str:
    """A text that a database can hold: PostgreSQL takes neither NUL nor half characters."""
    return value.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def finite(value: float) -> float | None:
    """A number, ``None`` for what is undefined or infinite."""
    return float(value) if math.isfinite(value) else None


def listed(
    index: Index, *, task: str | None = None, model: str | None = None, data: str | None = None
) -> list[dict[str, Any]]:
    """All runs with their headline, the last noted first; of these only those of a task, a model, data."""
    query = (
        select(RUNS, ESTIMATES.c.metric, ESTIMATES.c.value, ESTIMATES.c.low, ESTIMATES.c.high, ESTIMATES.c.n)
        .select_from(RUNS.outerjoin(ESTIMATES, (ESTIMATES.c.run == RUNS.c.id) & (ESTIMATES.c.place == 0)))
        .order_by(RUNS.c.noted.desc(), RUNS.c.id)
    )
    for column, wanted in ((RUNS.c.task, task), (RUNS.c.model, model), (RUNS.c.data, data)):
        if wanted is not None:
            query = query.where(column == wanted)
    return index.within(lambda connection: [dict(row._mapping) for row in connection.execute(query)])


def found(index: Index, name: str) -> dict[str, Any]:
    """One run by the beginning of its key or by its folder. `ValueError` unless there is exactly one."""
    folder = str(Path(name).absolute())
    query = select(RUNS).where(or_(func.substr(RUNS.c.id, 1, len(name)) == name, RUNS.c.folder == folder))
    rows = index.within(lambda connection: [dict(row._mapping) for row in connection.execute(query)])
    if not rows:
        raise ValueError(
            f"no run {name!r} in {index.name}: `assay runs list` shows all, `assay runs add FOLDER` adds one."
        )
    if len(rows) > 1:
        raise ValueError(f"{name!r} may be {' or '.join(row['id'] for row in rows)}: write more of it.")
    return rows[0]


def figures_of(index: Index, name: str) -> list[dict[str, Any]]:
    """The figures of the run with a key, in the run's order."""
    query = select(ESTIMATES).where(ESTIMATES.c.run == name).order_by(ESTIMATES.c.place)
    return index.within(lambda connection: [dict(row._mapping) for row in connection.execute(query)])


def forget(index: Index, names: Sequence[str]) -> None:
    """Removes runs from the index; their folders stay."""

    def work(connection: Connection) -> None:
        connection.execute(delete(ESTIMATES).where(ESTIMATES.c.run.in_(names)))
        connection.execute(delete(RUNS).where(RUNS.c.id.in_(names)))

    index.within(work)
