"""`rollcall up`, `desk` and `review`: the whole service, or the review desk alone."""

import socket
import sys
from typing import Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for
from tasks.failures import RollcallError

console = Console(highlight=False)


def up(
    host: Annotated[
        str, typer.Option(help="127.0.0.1 for this machine only; 0.0.0.0 to let colleagues in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Prefect's pages; the review desk takes the next one.")] = 4200,
    public: Annotated[str | None, typer.Option(help="Name by which colleagues reach this machine.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Workers that learn and draw here; one per graphics card when left out.")
    ] = None,
    home: Home = None,
) -> None:
    """The whole service: Prefect for HR, workers, and the review desk. Ctrl-C stops all of it."""
    from flows import supervisor
    from flows.environment import LOOPBACK
    from flows.logins import desk_password, load_logins

    settings = settings_for(home)
    password = settings.desk_password
    if host not in LOOPBACK and not password and not settings.oidc_issuer:
        if not sys.stdin.isatty():
            raise RollcallError(
                "Others can reach this address: set ROLLCALL_DESK_PASSWORD first, so that they need a password."
            )
        password = typer.prompt("Password for colleagues", hide_input=True, confirmation_prompt=True)
    tls = settings.tls_certificate is not None
    addresses = supervisor.Addresses(host, public or public_name(host), port, port + 1, tls)
    supervisor.up(
        settings, addresses, load_logins(settings), password=password or desk_password(settings),
        say=lambda text: console.print(text, markup=False, soft_wrap=True), show=console.is_terminal,
        cards=workers,
    )  # fmt: skip


def public_name(host: str) -> str:
    """What browsers call this machine when nobody says: not the address for "everywhere", at which none can look."""
    if host in {"127.0.0.1", "localhost", "::1"}:
        return "127.0.0.1"
    return socket.getfqdn() if host in {"0.0.0.0", "::"} else host


def desk(host: str = "127.0.0.1", port: int = 4201, home: Home = None) -> None:
    """The review desk alone: log in, look at pages, decide, upload."""
    from reports.desk.serving import serve

    settings = settings_for(home)
    if not (settings.desk_password or settings.oidc_issuer) and host not in {"127.0.0.1", "localhost", "::1"}:
        raise RollcallError("Others can reach this address: set ROLLCALL_DESK_PASSWORD or ROLLCALL_OIDC_ISSUER first.")
    serve(settings, host, port)


def review(
    batch: Annotated[str | None, typer.Argument(help="Batch to open; the newest when left out.")] = None,
    port: int = 4201,
    home: Home = None,
) -> None:
    """Open the review desk for a batch in the browser, on this machine only."""
    import webbrowser

    address = f"http://127.0.0.1:{port}/" + (f"batches/{batch}/" if batch else "")
    console.print(f"Review desk: {address}   (Ctrl-C stops it)")
    webbrowser.open(address)
    desk("127.0.0.1", port, home)
