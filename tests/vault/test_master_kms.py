"""A master key in a key management service: the true client over HTTP, against moto's server and one that only fails.

Not tried against AWS itself: there is none here. What moto does not imitate (disabled keys, missing rights) is answered
by a server of five lines, word for word as AWS documents it.
"""

import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from tasks.vault import master_kms
from tasks.vault.failures import MasterKeyRefused, Unreadable, VaultError
from tasks.vault.installation import WrongKeys
from tasks.vault.keys import Keyring
from tasks.vault.master import open_master
from tasks.vault.master_kms import MasterKeyInKms
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault


def _servers() -> ModuleType:
    name = "rollcall_tests_servers"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "servers.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "testkey"), ("SECRET_ACCESS_KEY", "testsecret"), ("MAX_ATTEMPTS", "1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A key service with two keys: the options to reach it."""
    pytest.importorskip("moto")
    pytest.importorskip("flask_cors")
    with _servers().kms(tmp_path_factory.mktemp("kms") / "log") as endpoint:
        import boto3

        client = boto3.client(  # type: ignore[call-overload]
            "kms", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s"
        )
        for alias in ("alias/rollcall", "alias/other"):
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            client.create_alias(AliasName=alias, TargetKeyId=key_id)
        yield f"?region=eu-west-1&endpoint={endpoint}"


@contextmanager
def failing(status: int, code: str) -> Iterator[str]:
    """A service that answers everything with one error: its location."""

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"__type": code, "message": "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"kms:alias/rollcall?region=eu-west-1&endpoint=http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_key_opens_for_its_person_and_kind_alone(service: str) -> None:
    master = open_master(f"kms:alias/rollcall{service}", may_create=False)
    key = os.urandom(32)
    wrapped = master.wrap(key, "p1", "selfies")
    assert key not in wrapped
    assert master.unwrap(wrapped, "p1", "selfies") == key
    for person, kind in (("p2", "selfies"), ("p1", "adapter")):
        with pytest.raises(Unreadable, match=f"does not open the key of {person} {kind}"):
            master.unwrap(wrapped, person, kind)


def test_the_context_is_the_services_own_and_holds_ids_only(service: str) -> None:
    """Somebody who asks the service without the context gets nothing: the binding is not ours to forget."""
    master = open_master(f"kms:alias/rollcall{service}", may_create=False)
    wrapped = master.wrap(b"k" * 32, "p1", "selfies")
    client = master._client  # type: ignore[attr-defined]
    with pytest.raises(client.exceptions.InvalidCiphertextException):
        client.decrypt(CiphertextBlob=wrapped)
    context = {"rollcall:person": "p1", "rollcall:kind": "selfies"}
    assert client.decrypt(CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"] == b"k" * 32


def test_a_vault_on_a_key_service(service: str, tmp_path: Path, now: datetime, add_person: Callable[..., str]) -> None:
    settings = Settings(home=tmp_path / "home", master_key=f"kms:alias/rollcall{service}")
    with open_vault(settings) as vault:
        permit = vault.permit(add_person(vault), now=now)
        key = vault.write(permit, "selfies", "1.jpg", b"a face", now=now)
        assert vault.read(permit, key) == b"a face"
    assert not (settings.home / "keys" / "master.key").exists()
    with open_vault(settings) as vault:
        assert vault.read(vault.permit("p1", now=now), key) == b"a face"
        vault.keys.destroy(["p1"])
        with pytest.raises(Unreadable, match="its key was destroyed"):
            vault.read(vault.permit("p1", now=now), key)


def test_another_key_of_the_service_is_refused_when_the_vault_is_opened(
    service: str, tmp_path: Path, now: datetime, add_person: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the first new key, weeks later: by then it reads as if somebody's key had been destroyed."""
    settings = Settings(home=tmp_path / "home", master_key=f"kms:alias/rollcall{service}")
    with open_vault(settings) as vault:
        key = vault.write(vault.permit(add_person(vault), now=now), "selfies", "1.jpg", b"a face", now=now)
    other = settings.model_copy(update={"master_key": f"kms:alias/other{service}"})
    with pytest.raises(WrongKeys, match=r"wrapped by the master key \w+, and this one is"):
        open_vault(other)
    asked: list[int] = []
    ask = MasterKeyInKms._ask
    monkeypatch.setattr(MasterKeyInKms, "_ask", staticmethod(lambda call, **q: asked.append(1) or ask(call, **q)))
    master_kms._ASKED.clear()  # as in a new process
    for _ in range(3):
        open_vault(settings).close()
    assert len(asked) == 1, "once in a process"
    with failing(500, "KMSInternalException") as location:
        down = settings.model_copy(update={"master_key": location})
        asked.clear()
        for _ in range(3):
            with open_vault(down) as vault:  # nobody knows, so nobody is kept from forgetting
                vault.keys.destroy(["p2"])
        assert len(asked) == 1, "a service that is down holds nobody up again and again"
    with open_vault(settings) as vault:
        assert vault.read(vault.permit("p1", now=now), key) == b"a face"


def test_keys_move_from_a_file_into_the_service(service: str, tmp_path: Path) -> None:
    url, file, location = (
        f"sqlite:///{tmp_path / 'wrapped.db'}",
        tmp_path / "master.key",
        f"kms:alias/rollcall{service}",
    )
    ring = Keyring(url, str(file))
    key = ring.data_key("p1", "selfies")
    assert ring.rotate(location) == 1
    file.unlink()
    assert Keyring(url, location).existing_key("p1", "selfies") == key


def test_an_unknown_key_is_said_so(service: str) -> None:
    master = open_master(f"kms:alias/nobody{service}", may_create=False)
    with pytest.raises(MasterKeyRefused, match="no such key or alias; check ROLLCALL_MASTER_KEY"):
        master.wrap(b"k" * 32, "p1", "selfies")


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "AccessDeniedException", "allow kms:Encrypt and kms:Decrypt"),
        (400, "DisabledException", "the key is disabled"),
        (400, "KMSInvalidStateException", "about to be deleted"),
        (400, "SomethingNew", "look at the service's own state"),
        (500, "KMSInternalException", "try again"),
    ],
)
def test_what_the_service_refuses_is_explained(status: int, code: str, advice: str) -> None:
    with failing(status, code) as location:
        master = open_master(location, may_create=False)
        for ask in (lambda: master.wrap(b"k" * 32, "p1", "a"), lambda: master.unwrap(b"w" * 99, "p1", "a")):
            with pytest.raises(MasterKeyRefused, match=advice) as refused:
                ask()
            assert refused.value.code == code


@pytest.mark.parametrize("code", ["InvalidCiphertextException", "IncorrectKeyException"])
def test_a_key_wrapped_elsewhere_is_unreadable(code: str) -> None:
    with failing(400, code) as location, pytest.raises(Unreadable):
        open_master(location, may_create=False).unwrap(b"w" * 99, "p1", "selfies")


def test_forgetting_needs_no_service(tmp_path: Path, now: datetime, add_person: Callable[..., str]) -> None:
    """Opening a vault and destroying keys ask nobody; writing does, and leaves no half-made key behind."""
    with failing(500, "KMSInternalException") as location:
        pass  # its port is free again: nobody listens
    with open_vault(Settings(home=tmp_path / "home", master_key=location)) as vault:
        permit = vault.permit(add_person(vault), now=now)
        with pytest.raises(MasterKeyRefused, match="EndpointConnectionError"):
            vault.write(permit, "selfies", "1.jpg", b"a face", now=now)
        assert vault.keys.holders() == {}
        vault.keys.destroy(["p1"])


def test_no_credentials_are_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it remembers the credentials of other tests
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    master = open_master("kms:alias/rollcall?region=eu-west-1&endpoint=http://127.0.0.1:9", may_create=False)
    with pytest.raises(MasterKeyRefused, match="there are no credentials"):
        master.wrap(b"k" * 32, "p1", "a")


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("kms:", "kms:alias/NAME or"),
        ("kms://alias/rollcall?region=eu-west-1", "kms:alias/NAME or"),
        ("kms:alias/rollcall?regoin=eu-west-1", "kms:alias/NAME or"),
        ("kms:alias/rollcall", "needs a region"),
    ],
)
def test_a_location_that_cannot_be_meant(
    location: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(VaultError, match=message):
        open_master(location, may_create=False)


def test_an_arn_names_its_region() -> None:
    arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"
    master = open_master(f"kms:{arn}", may_create=False)
    assert master.key_id == arn  # type: ignore[attr-defined]
    assert master._client.meta.region_name == "eu-central-1"  # type: ignore[attr-defined]


def test_settings_name_the_master_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vault: Vault) -> None:
    monkeypatch.setenv("ROLLCALL_MASTER_KEY", "kms:alias/rollcall")
    assert Settings(home=tmp_path).master_key_location == "kms:alias/rollcall"
    monkeypatch.setenv("ROLLCALL_MASTER_KEY", str(tmp_path / "my.key"))
    assert Settings(home=tmp_path).master_key_location == str(tmp_path / "my.key")
    assert vault.settings.master_key_location == str(vault.settings.home / "keys" / "master.key")
