"""A PostgreSQL cluster of its own on 127.0.0.1, as a user without rights, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 60


def programs() -> Path | None:
    """Where Debian keeps the newest PostgreSQL's programs; ``None`` if it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return None if path is None else Path(path).parent


def user() -> dict[str, object]:
    """What makes a program run without root's rights, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    who = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


class Cluster:
    """The server: its ``url``, and ways to stop and start it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://assay:secret-of-the-test@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        command = [str(programs() / "postgres"), "-D", str(self.folder), "-p", str(self.port)]
        options = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=20")
        command += [word for option in options for word in ("-c", option)]
        log = (self.folder.parent / "log").open("ab")
        self.server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **user())
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if self.answers():
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder.parent / "log").read_text())

    def answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT is the immediate stop, as after a loss of power; SIGINT the fast one."""
        if self.server is not None:
            self.server.send_signal(how)
            self.server.wait(WAIT_S)
            self.server = None


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new, empty cluster that runs."""
    where = Path(tempfile.mkdtemp(prefix="assay-postgres-"))
    rights = user()
    if rights:
        os.chown(where, rights["user"], rights["group"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = where / "key"
    key.write_text("secret-of-the-test")
    if rights:
        os.chown(key, rights["user"], rights["group"])
    made = [str(programs() / "initdb"), "-D", str(where / "data"), "-U", "assay", "--pwfile", str(key)]
    made += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N"]
    subprocess.run(made, check=True, capture_output=True, cwd="/", **rights)
    one = Cluster(where / "data", port)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(where, ignore_errors=True)
