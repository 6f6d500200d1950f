"""The desk's password: few tries whoever asks and however, the desk answers meanwhile, and who knows it comes in."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient

from reports.desk.app import create_desk
from reports.desk.serving import CannotServe, configuration
from reports.door.address import BadProxies, proxies_of
from reports.door.door import COOKIE, KNOWN, Door
from reports.door.tries import CROWD, LONGEST, TRIES, WINDOW, Tries, counted_as
from reports.reviewer_names import plain_name
from tasks.vault.settings import Settings
from tests.reports.conftest import NOON, PASSWORD

RIGHT = {"name": "Ada", "password": PASSWORD}
WRONG = {"name": "Eve", "password": "guess"}
Ask = Callable[..., TestClient]


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(tmp_path: Path, clock: Clock) -> Iterator[Ask]:
    """Clients of one desk, each at an address of its own."""
    app = create_desk(Settings(home=tmp_path, desk_password=PASSWORD, proxies="10.0.0.7, 10.1.0.0/16"), clock=clock)

    def client(address: str = "192.0.2.1", **how: object) -> TestClient:
        return TestClient(app, base_url="http://desk.example", client=(address, 5000), follow_redirects=False, **how)  # type: ignore[arg-type]

    yield client
    app.state.vault.close()


def spend(client: TestClient, tries: int = TRIES, **how: object) -> list[int]:
    return [client.post("/login", data=WRONG, **how).status_code for _ in range(tries)]  # type: ignore[arg-type]


def test_wrong_passwords_are_few_by_address_and_come_back_one_by_one(door: Ask, clock: Clock) -> None:
    here = door()
    assert spend(here) == [401] * TRIES
    refused = here.post("/login", data=RIGHT)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= WINDOW.total_seconds() / TRIES
    clock.now += WINDOW / TRIES
    assert spend(here, 2) == [401, 429], "one, and not all at once"
    clock.now += WINDOW / TRIES
    assert here.post("/login", data=RIGHT).status_code == 303
    assert spend(here) == [401] * TRIES, "who came in starts anew"


def test_another_address_is_not_locked_out_and_one_ipv6_network_is_one_address(door: Ask) -> None:
    spend(door("2001:db8:0:1::1"))
    assert door("2001:db8:0:1:ffff::9").post("/login", data=RIGHT).status_code == 429
    assert door("2001:db8:0:2::1").post("/login", data=RIGHT).status_code == 303
    assert counted_as("::ffff:192.0.2.1") == counted_as("192.0.2.1") == "192.0.2.1"


def test_a_browser_that_came_in_before_is_not_locked_out_by_its_neighbours(door: Ask) -> None:
    ada = door()
    assert ada.post("/login", data=RIGHT).status_code == 303
    eve = door()
    spend(eve, TRIES + 1)
    assert eve.post("/login", data=RIGHT).status_code == 429
    assert ada.post("/login", data=RIGHT).status_code == 303
    forged = door(cookies={KNOWN: "somebody." + "0" * 64})
    assert forged.post("/login", data=RIGHT).status_code == 429
    assert spend(ada, TRIES + 1) == [401] * TRIES + [429], "a known browser has no more tries than others"


def test_a_crowd_slows_everybody_down_and_refuses_nobody() -> None:
    tries = Tries()
    assert tries.delay(NOON) == 0
    for i in range(CROWD):
        assert tries.take(f"10.0.0.{i}", NOON) == 0
        tries.was_wrong(NOON)
    first = tries.delay(NOON)
    assert first > 0
    for _ in range(1000):
        tries.was_wrong(NOON)
    assert first < tries.delay(NOON) == LONGEST
    assert tries.take("192.0.2.9", NOON) == 0, "the next address may still try"
    assert tries.delay(NOON + WINDOW) == 0
    tries.was_wrong(NOON + WINDOW)
    assert len(tries._spent) <= 1, "who has all tries back is not remembered"


def test_a_crowds_delay_is_waited_for_and_the_right_password_opens(door: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tries, "delay", lambda self, now: 0.5)
    client, began = door(), time.monotonic()
    assert client.post("/login", data=RIGHT).status_code == 303
    assert time.monotonic() - began >= 0.5


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The desk on a real port, as `rollcall desk` serves it."""
    config = configuration(settings, "127.0.0.1", 0)
    config.ws = "none"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"{'https' if settings.tls_certificate else 'http'}://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_a_hundred_and_fifty_held_back_forms_get_few_tries_and_the_desk_answers_meanwhile(tmp_path: Path) -> None:
    """All forms are announced first, and their contents come together, as somebody does who wants more tries."""
    body = b"name=Eve&password=guess"
    head = (
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    with served(Settings(home=tmp_path, desk_password=PASSWORD)) as address:
        host, port = address.removeprefix("http://").split(":")
        known = httpx.Client(base_url=address, timeout=60)
        assert known.post("/login", data=RIGHT).status_code == 303
        lines = [socket.create_connection((host, int(port)), timeout=60) for _ in range(150)]
        for line in lines:
            line.sendall(head)
        time.sleep(0.5)
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda line: (line.sendall(body), line.recv(16))[1], lines)
            slowest = 0.0
            for _ in range(10):
                began = time.monotonic()
                assert httpx.get(f"{address}/health", timeout=60).status_code == 200
                slowest = max(slowest, time.monotonic() - began)
            statuses = Counter(answer.split()[1] for answer in answers)
        assert statuses == {b"401": TRIES, b"429": 150 - TRIES}
        assert slowest < 5, "the desk stood still"
        assert known.post("/login", data=RIGHT).status_code == 303
        for line in lines:
            line.close()
        known.close()


def test_no_more_than_two_passwords_are_looked_at_at_a_time_and_never_in_the_event_loop(
    door: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most, threads = 0, 0, set()
    lock, opens = threading.Lock(), Door.opens

    def watched(self: Door, password: str) -> bool:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
            threads.add(threading.current_thread().name)
        try:
            time.sleep(0.05)
            return opens(self, password)
        finally:
            with lock:
                at_work -= 1

    monkeypatch.setattr(Door, "opens", watched)
    with door() as client, ThreadPoolExecutor(5) as pool:
        assert {answer for found in pool.map(lambda _: spend(client, 1), range(5)) for answer in found} == {401}
    assert most <= 2
    assert all("AnyIO worker" in name for name in threads)


def test_behind_a_named_proxy_the_clients_own_address_and_https_count(door: Ask) -> None:
    proxy = door("10.0.0.7")
    spend(proxy, headers={"X-Forwarded-For": "198.51.100.1"})
    eve = {"X-Forwarded-For": "1.2.3.4, 198.51.100.1, 10.1.2.3"}  # what stands before the last stranger may be invented
    assert proxy.post("/login", data=RIGHT, headers=eve).status_code == 429
    ada = {"X-Forwarded-For": "198.51.100.2:4711", "X-Forwarded-Proto": "https"}
    answer = proxy.post("/login", data=RIGHT, headers=ada)
    assert answer.status_code == 303
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
    assert len(answer.headers.get_list("set-cookie")) == 2


def test_who_is_no_named_proxy_is_not_believed(door: Ask) -> None:
    stranger = door("192.0.2.9")
    for i in range(TRIES):
        assert spend(stranger, 1, headers={"X-Forwarded-For": f"198.51.100.{i}"}) == [401]
    answer = stranger.post("/login", data=RIGHT, headers={"X-Forwarded-For": "198.51.100.99"})
    assert answer.status_code == 429
    plain = door("192.0.2.10").post("/login", data=RIGHT, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" not in plain.headers["set-cookie"], "over http a browser would throw such a cookie away"
    with pytest.raises(BadProxies, match="ROLLCALL_PROXIES"):
        proxies_of("10.0.0.7; proxy.corp.example")


def test_without_a_password_a_proxy_on_this_machine_opens_nothing(tmp_path: Path, clock: Clock) -> None:
    app = create_desk(Settings(home=tmp_path), clock=clock)
    here = TestClient(app, base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5000), follow_redirects=False)
    assert here.get("/health").status_code == 200
    assert here.get("/health", headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 403
    app.state.vault.close()


def test_a_form_of_our_public_address_is_ours_whatever_name_the_proxy_asks_for(tmp_path: Path, clock: Clock) -> None:
    settings = Settings(home=tmp_path, desk_password=PASSWORD, public_url="https://headshots.corp.example")
    app = create_desk(settings, clock=clock)
    here = TestClient(app, base_url="http://10.0.0.7:4201", client=("192.0.2.1", 5000), follow_redirects=False)
    ours, theirs = ({"Origin": origin} for origin in ("https://headshots.corp.example", "https://evil.example"))
    assert here.post("/login", data=RIGHT, headers=theirs).status_code == 403
    answer = here.post("/login", data=RIGHT, headers=ours)
    assert answer.status_code == 303
    assert "Secure" in answer.headers["set-cookie"]
    app.state.vault.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine's own, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime.now(dt.UTC) - timedelta(days=1))
        .not_valid_after(dt.datetime.now(dt.UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def test_the_desk_speaks_https_itself_from_a_certificates_file(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    settings = Settings(home=tmp_path, desk_password=PASSWORD, tls_certificate=cert, tls_key=key)
    trusting = ssl.create_default_context(cafile=str(cert))
    trusting.check_hostname = False
    with served(settings) as address, httpx.Client(base_url=address, verify=trusting, timeout=60) as client:
        answer = client.post("/login", data=RIGHT)
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get("/").status_code == 200


def test_a_certificate_that_cannot_be_used_is_one_sentence(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    for wrong in (
        {"tls_certificate": key, "tls_key": cert},
        {"tls_certificate": cert},
        {"tls_certificate": tmp_path / "no"},
    ):
        with pytest.raises(CannotServe, match="ROLLCALL_TLS_CERTIFICATE"):
            configuration(Settings(home=tmp_path, desk_password=PASSWORD, **wrong), "127.0.0.1", 0)  # type: ignore[arg-type]
    with pytest.raises(CannotServe, match="ROLLCALL_PROXIES"):
        configuration(Settings(home=tmp_path, desk_password=PASSWORD, proxies="nowhere"), "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Zoë   Núñez ", "Zoë Núñez"),
        ("Dr <b>x</b>\x1b[31m\u202e", "Dr <b>x</b> [31m"),
        ("\u2066Ada\u2069\nB\u2028C\u00ad", "Ada B C"),
        ("نیلوفر می\u200cخواهد", "نیلوفر می\u200cخواهد"),
        ("山田 太郎 👩\u200d💻", "山田 太郎 👩\u200d💻"),
        ("\u202e\u200f\x00\ud800", ""),
        ("x" * 500, "x" * 80),
    ],
)
def test_names_come_without_signs_that_nobody_sees(typed: str, kept: str) -> None:
    assert plain_name(typed) == kept


def test_a_name_of_nothing_that_shows_is_no_name(door: Ask) -> None:
    assert door().post("/login", data={**RIGHT, "name": "\u202e\u200f"}).status_code == 400
    came = door().post("/login", data={**RIGHT, "name": "Eve\u202e"})
    assert came.status_code == 303
    assert COOKIE in came.cookies
