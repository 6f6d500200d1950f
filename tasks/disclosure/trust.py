"""Whom this installation signs as, and whose signatures it believes, as the settings name them.

Promise: what the settings name is read before it is needed (`rollcall doctor` asks for it too), and what cannot be used
is said in words that help, instead of being taken for no certificates at all.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tasks.disclosure.chain import SigningChain, company_chain, own_test_chain
from tasks.vault.failures import BadSetting
from tasks.vault.settings import Settings


def signing_chain(settings: Settings, now: datetime) -> SigningChain:
    """The company's chain, or the installation's own test chain when the settings name none."""
    return named_chain(settings) or own_test_chain(credentials_folder(settings), now, settings.time_stamps)


def named_chain(settings: Settings) -> SigningChain | None:
    """The company's chain; None when the settings name none. BadSetting for half of one, or one that does not fit."""
    certificates, key = settings.signing_chain, settings.signing_key_file
    if (certificates is None) != (key is None):
        raise BadSetting("ROLLCALL_SIGNING_CHAIN and ROLLCALL_SIGNING_KEY_FILE belong together: set both or neither.")
    if certificates is None or key is None:
        return None
    return company_chain(certificates, key, settings.time_stamps)


def photo_roots(settings: Settings) -> bytes:
    """The roots (PEM) whose signatures on people's photos are believed; nothing when the settings name none.

    Whatever else stands in the file is left out: a reader of credentials that stumbles over it would take every photo's
    for none. BadSetting where there is no certificate to be read.
    """
    if settings.photo_roots is None:
        return b""
    try:
        roots = x509.load_pem_x509_certificates(settings.photo_roots.read_bytes())
    except OSError as fault:
        raise BadSetting(f"ROLLCALL_PHOTO_ROOTS names a file that cannot be read ({fault.strerror}).") from None
    except ValueError:
        raise BadSetting(
            "ROLLCALL_PHOTO_ROOTS names a file without a certificate in it, or with a broken one. It has to be PEM, in"
            " lines that say BEGIN CERTIFICATE; `openssl x509 -inform der -in roots.cer -out roots.pem` makes that of a"
            " .cer or .der file."
        ) from None
    return b"".join(root.public_bytes(Encoding.PEM) for root in roots)


def own_root(settings: Settings) -> bytes:
    """The root of the test chain (PEM), for our own reader; nothing when there is none."""
    root = credentials_folder(settings) / "test-root.pem"
    return root.read_bytes() if root.exists() else b""


def credentials_folder(settings: Settings) -> Path:
    """Where the test chain lies: beside the installation's other keys."""
    return settings.home / "keys" / "credentials"
