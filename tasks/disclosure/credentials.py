"""Signed content credentials (C2PA 2.4): written last into a file that leaves, and read back without our records.

The manifest says how the picture came about, with what system, and when it was signed; nothing else. No thumbnail, no
ingredient, no name: a file's metadata travel further than the file. Nothing is fetched from the network but the time
stamp that the settings ask for.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import c2pa
import numpy as np

from tasks.disclosure.chain import SigningChain
from tasks.disclosure.source import SYSTEM, VOCABULARY, Origin
from tasks.failures import RollcallError
from tasks.sentences import tell
from tasks.vision.images import encode

SPECIFICATION = "2.4.0"  # of C2PA; the conformance programme asks for it by name
MIME = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif"}
ALGORITHM = "es256"

# The reader's words for a file whose bytes are no longer those that were signed.
_CHANGED = frozenset({"assertion.dataHash.mismatch", "assertion.hashedURI.mismatch", "claimSignature.mismatch"})


class NotSigned(RollcallError):
    """A file could not be signed; the message says why, and holds nothing about the picture."""


@dataclass(frozen=True)
class Credentials:
    """What a file's content credentials say, and how far they can be believed."""

    signer: str  # organisation of the certificate
    signed_at: datetime | None  # by the time stamp, not by the signer's own clock
    source_type: str  # last word of the IPTC term, "" when none is given
    system: str
    changed: bool  # the file is not what was signed
    trusted: bool  # the signer's root is one that this reader was told to trust
    faults: tuple[str, ...]  # C2PA's codes, for an engineer

    @property
    def valid(self) -> bool:
        return not self.faults


def sign(data: bytes, form: str, origin: Origin, chain: SigningChain) -> bytes:
    """The file with signed credentials in it. `form` is jpeg, png, webp or avif. NotSigned when it cannot be done."""
    signer = c2pa.C2paSignerInfo(ALGORITHM, chain.certificates, chain.key, chain.time_stamps)
    signed = io.BytesIO()
    try:
        with (
            _context(b"") as context,
            c2pa.Signer.from_info(signer) as who,
            c2pa.Builder(json.dumps(_manifest(origin)), context=context) as builder,
        ):
            builder.sign(who, MIME[form], io.BytesIO(data), signed)
    except c2pa.C2paError as fault:
        why = "disclosed.no_time_stamp" if chain.time_stamps else "disclosed.not_signed"
        raise NotSigned(tell(why, fault=type(fault).__name__.strip("_"))) from None
    return signed.getvalue()


@lru_cache(maxsize=16)
def weight(form: str, chain: SigningChain) -> int:
    """How many bytes signing adds to a file at most: nothing of a picture is in it."""
    empty = encode(np.zeros((16, 16, 3), np.uint8), form)  # type: ignore[arg-type]
    return len(sign(empty, form, Origin("trainedAlgorithmicMedia", version="0" * 40, photo="0" * 140), chain)) - len(
        empty
    )


def _manifest(origin: Origin) -> dict[str, Any]:
    agent = {"name": SYSTEM, "version": origin.version}
    created = {
        "action": "c2pa.created",
        "digitalSourceType": VOCABULARY + origin.source_type,
        "softwareAgent": agent,
    }
    if origin.photo:
        created["description"] = origin.photo
    actions = {"actions": [created], "allActionsIncluded": True}
    return {
        "claim_generator_info": [agent | {"specVersion": SPECIFICATION}],
        "assertions": [{"label": "c2pa.actions.v2", "data": actions, "created": True}],
    }


def _context(anchors: bytes) -> c2pa.Context:
    """Reads and writes without a network, without thumbnails, trusting `anchors` (PEM) for signers and time stamps."""
    trust = {"trust": {"user_anchors": anchors.decode()}} if anchors else {}
    return c2pa.Context.from_dict(
        {
            "builder": {"thumbnail": {"enabled": False}},
            "verify": {
                "remote_manifest_fetch": False,
                "ocsp_fetch": False,
                "verify_after_sign": False,  # each file is read back by whoever delivers it
                "verify_trust": True,
                "verify_timestamp_trust": True,
            },
            **trust,
        }
    )


def read_credentials(data: bytes, form: str, anchors: bytes = b"") -> Credentials | None:
    """What the file's credentials say; None when it has none. `anchors` are roots (PEM) to trust."""
    try:
        with _context(anchors) as context, c2pa.Reader(MIME[form], io.BytesIO(data), context=context) as reader:
            found = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as fault:  # a manifest that cannot even be read
        return Credentials("", None, "", "", True, False, (type(fault).__name__.strip("_"),))
    return _understood(found)


def read_inside(data: bytes, *, form: str, anchors: str) -> tuple[Any, list[Any]]:
    """`read_credentials` for the sandbox: a file from outside may be made to hurt whoever parses it."""
    found = read_credentials(data, form, anchors.encode())
    if found is None:
        return None, []
    return asdict(found) | {"signed_at": found.signed_at.isoformat() if found.signed_at else None}, []


def from_inside(value: Any) -> Credentials | None:
    """What the sandbox answered. ValueError, TypeError or KeyError when that is nonsense."""
    if value is None:
        return None
    stamped = value["signed_at"]
    return Credentials(
        signer=str(value["signer"])[:200],
        signed_at=datetime.fromisoformat(stamped) if stamped else None,
        source_type=str(value["source_type"])[:80],
        system=str(value["system"])[:80],
        changed=bool(value["changed"]),
        trusted=bool(value["trusted"]),
        faults=tuple(str(code)[:80] for code in value["faults"]),
    )


def _understood(found: dict[str, Any]) -> Credentials:
    manifest = found["manifests"].get(found.get("active_manifest", ""), {})
    results = found.get("validation_results", {}).get("activeManifest", {})
    # That a reader does not know the signer's root is no fault of the file: `trusted` says it.
    codes = {str(one["code"]) for one in results.get("failure", ())} - {"signingCredential.untrusted"}
    signature = manifest.get("signature_info", {})
    stamped = signature.get("time")
    agent = (manifest.get("claim_generator_info") or [{}])[0]
    return Credentials(
        signer=str(signature.get("issuer", "")),
        signed_at=datetime.fromisoformat(stamped) if stamped else None,
        source_type=_source_type(manifest.get("assertions", ())),
        system=f"{agent.get('name', '')} {agent.get('version', '')}".strip(),
        changed=bool(codes & _CHANGED),
        trusted=found.get("validation_state") == "Trusted",
        faults=tuple(sorted(codes)),
    )


def _source_type(assertions: Any) -> str:
    for assertion in assertions:
        if assertion.get("label", "").startswith("c2pa.actions"):
            for action in assertion.get("data", {}).get("actions", ()):
                if uri := action.get("digitalSourceType"):
                    return str(uri).rsplit("/", 1)[-1]
    return ""
