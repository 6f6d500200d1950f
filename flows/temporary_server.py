"""The Prefect server of `rollcall make`, `demo` and `reshoot`: behind the same door, for as long as the command runs.

Prefect would start one by itself, without a login, and leave it running when the command is killed.
"""

import atexit
import os
import secrets
import socket
import sys
from collections.abc import Callable

from flows.children import Service, wait_for
from flows.environment import apply, client_environment, prefect_environment, server_environment
from tasks.vault.settings import Settings


def use_prefect(settings: Settings, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Points this process to the server that the user has named, or to one of its own. Before Prefect is imported.

    Its own has a login that nobody is told, and ends with this process, also by kill -9. `meanwhile` is called while it
    starts, which takes seconds: what will be needed is best imported there. Raises StartFailed.
    """
    named = os.environ.get("PREFECT_API_URL")
    apply(prefect_environment(settings.home, quiet=named is None))
    if named is None:
        wait = _start(settings)
        meanwhile()
        wait()


def _start(settings: Settings) -> Callable[[], None]:
    """Starts the server, and returns what waits until it answers."""
    login, port = f"rollcall:{secrets.token_urlsafe(32)}", _free_port()
    api = f"http://127.0.0.1:{port}/api"
    database = os.environ.get("PREFECT_API_DATABASE_CONNECTION_URL")
    server = server_environment(login, f"http://127.0.0.1:{port}", database)
    outside = {name: value for name, value in os.environ.items() if name != "ROLLCALL_PEOPLE_LOGIN"}
    service = Service(settings.home)
    # Registered before Prefect's own: those run first and still have something to tell the server.
    atexit.register(service.stop)
    command = [sys.executable, "-m", "flows.server", "--port", str(port), "--temporary"]
    service.start("prefect-temporary", command, {**outside, **server})
    os.environ.update(client_environment(api, login))
    return lambda: wait_for(f"{api}/health", service, "Prefect", asked=lambda: False)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
