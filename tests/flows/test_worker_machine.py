"""`rollcall worker` at the door: what it is told when it may not come in, when it looks again, and when it goes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import typer

from flows import worker_machine
from flows.children import Service
from flows.cli_worker import seconds
from flows.fitting import DoesNotFit, NotYet, _write, house_of, note_house
from flows.life import noted
from flows.worker_machine import LOOK_AGAIN_S, FitGuard, IdleGuard, api_of, arrive, check_server, machine_login
from tasks.vault.database import open_database
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def control(tmp_path: Path) -> Settings:
    """The control machine; here the worker's home is the same."""
    settings = Settings(home=tmp_path / "control")
    note_house(settings)
    return settings


def server(installation: str | None, *, off: timedelta = timedelta(0), code: int = 200) -> httpx.Client:
    """Prefect's server of this installation, whose clock is `off`."""

    def answer(request: httpx.Request) -> httpx.Response:
        date = {"Date": format_datetime(datetime.now(UTC) + off, usegmt=True)}
        if request.url.path.endswith("/health"):
            return httpx.Response(code, json=True, headers=date)
        if installation is None:
            return httpx.Response(404)
        return httpx.Response(200, json={"value": installation})

    return reached(answer)


def reached(answer: Answer) -> httpx.Client:
    return httpx.Client(base_url="http://control:4200/api", transport=httpx.MockTransport(answer))


def name_of(settings: Settings) -> str:
    with open_vault(settings) as vault:
        return vault.keys.name


def refused(settings: Settings, api: httpx.Client, pool: str = "gpu") -> str:
    with pytest.raises(DoesNotFit) as wrong:
        check_server(settings, api, pool)
    return str(wrong.value)


def test_a_machine_that_fits_comes_in(control: Settings) -> None:
    assert check_server(control, server(name_of(control)), "gpu") == house_of(control)


@pytest.mark.parametrize(("code", "says"), [(401, "does not know the machines' login"), (500, "answered 500")])
def test_a_server_that_refuses_is_named_with_what_to_check(control: Settings, code: int, says: str) -> None:
    said = refused(control, server(name_of(control), code=code))
    assert says in said
    assert "ROLLCALL_MACHINE_LOGIN" in said


def test_a_server_that_is_silent_is_named(control: Settings) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    said = refused(control, reached(silent))
    assert "http://control:4200/api" in said
    assert "check --server" in said


def test_somebody_elses_prefect_is_no_server_of_ours(control: Settings) -> None:
    assert "no server of Rollcall's" in refused(control, server(None))
    assert "different installations" in refused(control, server("another"))


def test_a_clock_that_is_not_the_servers_is_refused(control: Settings) -> None:
    assert "clock" in refused(control, server(name_of(control), off=timedelta(seconds=90)))


def test_a_worker_that_is_started_before_the_server_waits_for_it(control: Settings) -> None:
    """Machines are switched on together; Slurm starts an array once."""
    whole, tries, said = server(name_of(control)), list[str](), list[str]()

    def starting(request: httpx.Request) -> httpx.Response:
        tries.append(request.url.path)
        if len(tries) <= 2:
            raise httpx.ConnectError("refused", request=request)
        if len(tries) <= 4 and "variables" in request.url.path:
            return httpx.Response(404)  # it is up, and `rollcall up` has not said yet whose it is
        return whole.send(whole.build_request(request.method, request.url))

    house = arrive(control, reached(starting), "gpu", lambda: False, said.append, pause=0.0)
    assert house == house_of(control)
    assert ["does not answer" in said[0], "is no server" in said[1], len(said)] == [True, True, 2], "each said once"


@pytest.mark.parametrize(("stopped", "patience"), [(True, 60.0), (False, 0.0)], ids=["Ctrl-C", "too long"])
def test_nobody_waits_longer_than_wanted(control: Settings, stopped: bool, patience: float) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    with pytest.raises(NotYet, match="does not answer"):
        arrive(control, reached(silent), "gpu", lambda: stopped, lambda _: None, patience=patience, pause=0.0)


def test_what_is_wrong_for_good_is_not_waited_for(control: Settings) -> None:
    api = server("another installation")
    with pytest.raises(DoesNotFit, match="different installations"):
        arrive(control, api, "gpu", lambda: False, lambda _: None, pause=1e9)


def test_who_forgets_is_asked_for_the_control_machines_home(control: Settings, tmp_path: Path) -> None:
    shared = {
        "database_url": control.records_url, "keys_url": control.wrapped_keys_url,
        "blob_url": control.blobs_location, "master_key": control.master_key_location,
    }  # fmt: skip
    elsewhere = Settings.model_validate({"home": tmp_path / "worker", **shared})
    check_server(elsewhere, server(name_of(control)), "gpu")
    assert "mount that folder" in refused(elsewhere, server(name_of(control)), "keep")


def test_without_the_machines_login_it_is_said_where_that_stands(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match=r"ROLLCALL_MACHINE_LOGIN.*logins\.json"):
        machine_login(Settings(home=tmp_path))
    assert list(tmp_path.iterdir()) == [], "none is made here"
    assert machine_login(Settings(home=tmp_path, machine_login="machines:secret")) == "machines:secret"


def test_it_looks_again_when_the_control_machine_has_noted_something_new(control: Settings) -> None:
    """An update of the control machine: within a minute the others stop, since they would take other pictures."""
    engine = open_database(control.records_url)
    guard = FitGuard(control, server(name_of(control)), "gpu", engine, house_of(control), LOOK_AGAIN_S)
    with open_vault(control) as vault:
        _write(vault, replace(house_of(control), code="0" * 12))
    guard.tend(LOOK_AGAIN_S - 1)
    with pytest.raises(DoesNotFit, match="install the same one"):
        guard.tend(LOOK_AGAIN_S)
    engine.dispose()


def test_records_that_are_away_end_nothing(control: Settings, tmp_path: Path) -> None:
    gone = sa.create_engine(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    FitGuard(control, server(name_of(control)), "gpu", gone, house_of(control), 0.0).tend(0.0)


def test_a_machine_at_work_is_not_idle(control: Settings, tmp_path: Path) -> None:
    guard = IdleGuard(tmp_path, 0.0)
    guard.tend(10.0)
    assert guard.worked_at == 0.0
    with noted(tmp_path, "a-run", open_database(control.records_url)):
        guard.tend(20.0)
    guard.tend(30.0)
    assert guard.worked_at == 20.0


def test_each_card_is_a_worker_whose_name_says_machine_and_code(control: Settings, tmp_path: Path) -> None:
    started: list[list[str]] = []

    class Kept(Service):
        def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:  # type: ignore[override]
            started.append([name, *command, environment["PATH"]])

    house = house_of(control)
    names = worker_machine._start(Kept(tmp_path), {"PATH": "/bin"}, house, "gpu", 2)
    assert len(set(names)) == len(started) == 2
    assert all(name.endswith(house.code) for name in names)
    assert all(words[words.index("--limit") + 1] == "1" for words in started)


@pytest.mark.parametrize(
    "typed", ["control:4200", "http://control:4200", "http://control:4200/api/", "http://control:4200/"]
)
def test_the_address_may_be_typed_as_people_do(typed: str) -> None:
    assert api_of(typed) == "http://control:4200/api"


def test_times_are_read_as_people_write_them() -> None:
    assert [seconds(text) for text in ("90", "90s", "10m", "2h", "1.5m")] == [90, 90, 600, 7200, 90]
    with pytest.raises(typer.BadParameter, match="90s, 10m or 2h"):
        seconds("soon")
