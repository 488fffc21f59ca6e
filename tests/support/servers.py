"""Real Redis and PostgreSQL servers for tests: started on free ports, frozen, killed, stopped.

Each keeps its files in a directory of its own and listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PATIENCE = 20.0
POSTGRES_USER = "postgres"


def free_port() -> int:
    """A port that was free a moment ago, below those that the system gives to clients."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A child process that listens on a port."""

    def __init__(self, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, "it is not running"
        return self._process.pid

    def freeze(self) -> None:
        """Make it stand still: connections stay, nothing answers."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, and all it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _run(self, command: Sequence[str], cwd: Path, user: int | None = None) -> None:
        assert self._process is None, "it is running"
        self._process = subprocess.Popen(
            command, cwd=cwd, user=user, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _await(self, ready: Sequence[str]) -> None:
        """Wait until a command succeeds."""
        end = time.monotonic() + PATIENCE
        while subprocess.run(ready, capture_output=True, check=False).returncode != 0:
            assert self._process is not None
            assert self._process.poll() is None, f"the server ended: {self._process.args}"
            assert time.monotonic() < end, f"the server is not ready: {self._process.args}"
            time.sleep(0.02)


class RedisServer(Server):
    """A redis-server that keeps nothing on disk.

    Args:
        folder: For its files.
        password: Asked of every client.
        cluster: It is a cluster of one node.
        sentinel_of: It is a sentinel that watches the server at this port as `tiergate-test`.
        port: A given one instead of a free one.
    """

    SERVICE = "tiergate-test"

    def __init__(
        self,
        folder: Path,
        *,
        password: str | None = None,
        cluster: bool = False,
        sentinel_of: int | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(port)
        self._folder = folder
        self.password = password
        self._cluster = cluster
        self._sentinel_of = sentinel_of

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "nodes.conf").unlink(missing_ok=True)
        config = self._folder / "redis.conf"
        config.write_text("\n".join(self._settings()) + "\n")
        command = ["redis-server", str(config)]
        if self._sentinel_of is not None:
            command.append("--sentinel")
        self._run(command, self._folder)
        self._await(self._client("ping"))
        if self._cluster:
            subprocess.run(self._client("cluster", "addslotsrange", "0", "16383"), check=True)
            self._await(
                ["sh", "-c", f"{' '.join(self._client('cluster', 'info'))} | grep -q state:ok"]
            )

    def stop(self) -> None:
        """End it; what it held is gone."""
        self.kill()

    def flush(self) -> None:
        """Delete everything in it."""
        subprocess.run(self._client("flushall"), check=True, capture_output=True)

    def _settings(self) -> Iterator[str]:
        yield f"port {self.port}"
        yield "bind 127.0.0.1"
        yield f'dir "{self._folder}"'
        if self._sentinel_of is not None:
            yield f"sentinel monitor {self.SERVICE} 127.0.0.1 {self._sentinel_of} 1"
            if self.password is not None:
                yield f"sentinel auth-pass {self.SERVICE} {self.password}"
            return
        yield 'save ""'
        yield "appendonly no"
        if self.password is not None:
            yield f"requirepass {self.password}"
        if self._cluster:
            yield "cluster-enabled yes"
            yield f"cluster-port {free_port()}"

    def _client(self, *words: str) -> list[str]:
        login = (
            []
            if self.password is None or self._sentinel_of
            else ["-a", self.password, "--no-auth-warning"]
        )
        return ["redis-cli", "-e", "-p", str(self.port), *login, *words]


class PostgresServer(Server):
    """A PostgreSQL server with a database `postgres` and a user of that name.

    It does not flush to the disk: it survives `kill` and `restart`, not a power cut.
    """

    PASSWORD = "s3cret-of-the-test"

    def __init__(self, port: int | None = None) -> None:
        super().__init__(port)
        # Not below pytest's directories: these are closed to the user that the server runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="tiergate-postgres-"))
        self._bin = _postgres_programs()
        self._user: int | None = None
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            self._user = pwd.getpwnam(POSTGRES_USER).pw_uid
            os.chown(self._folder, self._user, -1)
        self._data = self._folder / "data"

    @property
    def url(self) -> str:
        """Its address, password included."""
        return f"postgresql://postgres:{self.PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it (the first time, make its files) and wait until it answers."""
        if not self._data.exists():
            self._make()
        self._run([str(self._bin / "postgres"), "-D", str(self._data)], self._folder, self._user)
        self._await([str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)])

    def stop(self) -> None:
        """End it in good order, its connections at once."""
        os.kill(self.pid, signal.SIGINT)
        assert self._process is not None
        self._process.wait(PATIENCE)
        self._process = None

    def freeze(self) -> None:
        """Make it and the servers of its connections stand still."""
        # Each connection has a process in a group of its own.
        for pid in self._all():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for pid in self._all():
            os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            for pid in self._all():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            super().kill()

    def remove(self) -> None:
        """End it and delete its files."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def sql(self, text: str) -> str:
        """Run SQL in the database; return what psql prints."""
        done = subprocess.run(
            [
                str(self._bin / "psql"), "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", text, self.url,
            ],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def _all(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.PASSWORD)
        if self._user is not None:
            os.chown(secret, self._user, -1)
        subprocess.run(
            [
                str(self._bin / "initdb"), "-D", str(self._data), "-U", "postgres",
                "-A", "scram-sha-256", f"--pwfile={secret}", "-N",
                "-E", "UTF8", "--locale=C.UTF-8",
            ],
            cwd=self._folder, user=self._user, check=True, capture_output=True,
        )  # fmt: skip
        with (self._data / "postgresql.conf").open("a") as config:
            config.write(
                f"port = {self.port}\n"
                "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
                "autovacuum = off\nwal_level = minimal\nmax_wal_senders = 0\n"
                "shared_buffers = 16MB\nmax_connections = 60\n"
            )


def _postgres_programs() -> Path:
    """The directory of PostgreSQL's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    name = shutil.which("postgres")
    assert name is not None, "PostgreSQL is not installed: scripts/setup.sh test"
    return Path(name).parent


@contextlib.contextmanager
def running_redis(
    folder: Path,
    *,
    password: str | None = None,
    cluster: bool = False,
    sentinel_of: int | None = None,
) -> Iterator[RedisServer]:
    """A Redis server for as long as the block lasts."""
    server = RedisServer(folder, password=password, cluster=cluster, sentinel_of=sentinel_of)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for as long as the block lasts."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
