"""Serves the desk: over http for a proxy or this machine, over https itself where a certificate is set."""

from __future__ import annotations

import ssl

import uvicorn

from reports.desk.app import create_desk
from reports.door.address import BadProxies
from reports.door.oidc import BadProvider
from reports.roles import BadRoles
from tasks.failures import RollcallError
from tasks.vault.json_log import logs
from tasks.vault.settings import Settings


class CannotServe(RollcallError):
    """The desk cannot start as it is set up. Says what to mend."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Answers until it is told to stop. Raises CannotServe before anything is opened."""
    configured = configuration(settings, host, port)
    uvicorn.Server(configured).run()


def configuration(settings: Settings, host: str, port: int) -> uvicorn.Config:
    """How it is served. The server itself believes no forwarded address: `door.address` decides whom to believe."""
    if settings.tls_certificate is not None:
        _check_certificate(settings)
    if settings.oidc_issuer and settings.roles is None:
        raise CannotServe("ROLLCALL_ROLES is missing: without it nobody who signs in may do anything (docs/roles.md).")
    try:
        desk = create_desk(settings)
    except (BadProxies, BadProvider, BadRoles) as wrong:
        raise CannotServe(str(wrong)) from wrong
    return uvicorn.Config(
        desk, host=host, port=port, log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        **logs(),
        timeout_graceful_shutdown=3,  # pages that wait for news do not hold the desk up
        ssl_certfile=settings.tls_certificate, ssl_keyfile=settings.tls_key,
    )  # fmt: skip


def _check_certificate(settings: Settings) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            str(settings.tls_certificate), str(settings.tls_key) if settings.tls_key else None, password=""
        )
    except (OSError, ValueError) as wrong:  # no such file, no PEM, a key of another certificate, a key with a password
        reason = getattr(wrong, "reason", None) or getattr(wrong, "strerror", None) or str(wrong)
        raise CannotServe(
            f"ROLLCALL_TLS_CERTIFICATE and ROLLCALL_TLS_KEY cannot be used ({reason}): they name a PEM certificate "
            "with its chain, and its private key without a password."
        ) from None
