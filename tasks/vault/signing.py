"""Signs receipts and audit checkpoints with this installation's Ed25519 key, made on first use.

The public half lies in `<home>/audit/signing.pub`: give it, with the checkpoints, to somebody who does not
administer this machine. Whoever holds the private half can sign anything; only copies kept elsewhere speak against it.
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.vault.secrets_on_disk import create_secret
from tasks.vault.verify_audit import canonical, fingerprint


@dataclass(frozen=True)
class Signer:
    """The private key and what others may know of it."""

    key: Ed25519PrivateKey
    public: bytes  # 32 raw bytes

    def sign(self, body: dict[str, Any]) -> dict[str, Any]:
        """The document {signed, key, signature}: its meaning is in `signed`, canonically encoded for the signature."""
        signature = base64.b64encode(self.key.sign(canonical(body))).decode()
        return {"signed": body, "key": fingerprint(self.public), "signature": signature}


def open_signer(private_file: Path, public_file: Path) -> Signer:
    """The installation's signer; makes the key pair on first use and always leaves the public half in its place."""
    if not private_file.exists():
        create_secret(private_file, base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()) + b"\n")
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_file.read_bytes()))
    public = key.public_key().public_bytes_raw()
    if not public_file.exists():
        create_secret(public_file, base64.b64encode(public) + b"\n")
        public_file.chmod(0o644)
    return Signer(key, public)
