"""A master key that never leaves its key management service: AWS KMS, or whatever speaks its protocol.

Every wrapping names the person and the kind in the encryption context, so the service itself refuses a wrapped key that
was moved to somebody else. The context stands in the service's own log: opaque ids and kinds, never a name. Each blob
that is written or read asks the service once, because data keys are never cached: a destroyed key is gone at once.

Tried with the true client against moto's server and against one that only refuses; not against AWS itself.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from tasks.vault.failures import MasterKeyRefused, Unreadable, VaultError
from tasks.vault.settings import KMS

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS = {"region", "endpoint"}
_ADVICE = {
    "AccessDeniedException": "this process may not use the key; allow kms:Encrypt and kms:Decrypt on it",
    "NotFoundException": "there is no such key or alias; check ROLLCALL_MASTER_KEY and its region",
    "DisabledException": "the key is disabled; enable it, or nobody's pictures can be opened",
    "KMSInvalidStateException": "the key is about to be deleted or not ready; cancel that, or every picture is lost",
    "UnrecognizedClientException": "the credentials are not known there",
    "NoCredentialsError": "there are no credentials; set them as for any AWS program",
}
# What was wrapped under another key, person or kind, or was altered.
_NOT_OURS = {"InvalidCiphertextException", "IncorrectKeyException"}


_ASKED: dict[str, str] = {}  # location -> fingerprint of the key there, as the service named it to this process


class MasterKeyInKms:
    """Wraps by asking the service. Making one connects to nothing: forgetting must work while the service is down."""

    def __init__(self, location: str) -> None:
        self._location = location
        parts = urlsplit(location.removeprefix(KMS))
        options = parse_qs(parts.query)
        unknown = sorted(options.keys() - _OPTIONS)
        # `kms:arn:aws:kms:...` is split by urlsplit as if `arn` were a scheme.
        self.key_id = f"{parts.scheme}:{parts.path}" if parts.scheme else parts.path
        if not self.key_id or unknown or parts.netloc:
            raise VaultError("ROLLCALL_MASTER_KEY is kms:alias/NAME or kms:KEY-ARN, then ?region=...&endpoint=...")
        named = self.key_id.split(":")
        in_arn = named[3] if named[0] == "arn" and len(named) > 3 else None
        try:
            self._client: Any = boto3.client(
                "kms",
                endpoint_url=options.get("endpoint", [None])[0],
                region_name=options.get("region", [in_arn])[0],
                config=Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=10),
            )
        except NoRegionError as error:
            raise VaultError("the key management service needs a region: kms:alias/NAME?region=eu-west-1") from error

    def wrap(self, key: bytes, employee_id: str, kind: str) -> bytes:
        context = _context(employee_id, kind)
        answer = self._ask(self._client.encrypt, KeyId=self.key_id, Plaintext=key, EncryptionContext=context)
        return bytes(answer["CiphertextBlob"])

    def fingerprint(self) -> str:
        """Of the key's full name: an alias, a region or another machine's spelling lead to the same one. The service is
        asked once in a process."""
        if self._location not in _ASKED:
            answer = self._ask(self._client.encrypt, KeyId=self.key_id, Plaintext=b"rollcall", EncryptionContext={})
            _ASKED[self._location] = sha256(str(answer["KeyId"]).encode()).hexdigest()[:16]
        return _ASKED[self._location]

    def unwrap(self, wrapped: bytes, employee_id: str, kind: str) -> bytes:
        context = _context(employee_id, kind)
        try:
            answer = self._ask(
                self._client.decrypt, KeyId=self.key_id, CiphertextBlob=wrapped, EncryptionContext=context
            )
        except MasterKeyRefused as refused:
            if refused.code in _NOT_OURS:
                raise Unreadable(f"the master key does not open the key of {employee_id} {kind}") from refused
            raise
        return bytes(answer["Plaintext"])

    @staticmethod
    def _ask(call: "Callable[..., dict[str, Any]]", **question: Any) -> dict[str, Any]:
        try:
            return call(**question)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
        except NoCredentialsError:
            code = "NoCredentialsError"
        except BotoCoreError as error:
            code = type(error).__name__
        raise MasterKeyRefused(code, _ADVICE.get(code, "try again, and look at the service's own state"))


def _context(employee_id: str, kind: str) -> dict[str, str]:
    return {"rollcall:person": employee_id, "rollcall:kind": kind}
