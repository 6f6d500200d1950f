"""Who signs: the company's certificates and key, or a test chain that says so in every name it carries.

A company that wants its pictures trusted by public verifiers gets a certificate through the C2PA conformance programme
and names it in the settings. Until then a chain is made here once, kept beside the installation's other keys, and made
anew a month before it ends; its organisation is called a test, so that no reader takes it for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tasks.vault.failures import BadSetting
from tasks.vault.files import replace_file

ORGANISATION = "Rollcall test certificate, not to be trusted"
LEAF_DAYS = 366  # the longest that the conformance programme (v0.2, assurance level 1) allows
ROOT_DAYS = 3650  # of a test chain that nobody outside trusts: it must outlive what it signed
RENEWED_BEFORE = timedelta(days=30)  # the leaf's end is never met in the middle of a delivery


@dataclass(frozen=True)
class SigningChain:
    """Certificates (leaf first, PEM) with the leaf's private key, and where its signatures are time-stamped."""

    certificates: bytes
    key: bytes
    is_test: bool
    time_stamps: str | None = None  # an RFC 3161 authority's address
    anchors: bytes = b""  # roots that our own reader trusts besides the public ones (PEM)

    def __repr__(self) -> str:
        return f"SigningChain(is_test={self.is_test})"  # never the key


def company_chain(certificates: Path, key: Path, time_stamps: str | None) -> SigningChain:
    """The chain of the settings. BadSetting when a file cannot be read, or is not what it should be."""
    try:
        chain, private = certificates.read_bytes(), key.read_bytes()
        leaf = x509.load_pem_x509_certificates(chain)[0]
        loaded = serialization.load_pem_private_key(private, None)
    except (OSError, ValueError, IndexError, TypeError) as fault:
        raise BadSetting(
            "The signing certificate or its key cannot be read: both are PEM files, the key without a password; "
            "ROLLCALL_SIGNING_CHAIN and ROLLCALL_SIGNING_KEY_FILE name them."
        ) from fault
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if loaded.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise BadSetting("The signing key does not belong to the first certificate of the signing chain.")
    return SigningChain(chain, private, is_test=False, time_stamps=time_stamps)


def own_test_chain(folder: Path, now: datetime, time_stamps: str | None = None) -> SigningChain:
    """The installation's own test chain, made on first use and anew a month before it ends."""
    chain, key, root = folder / "test-chain.pem", folder / "test-key.pem", folder / "test-root.pem"
    if not (chain.exists() and key.exists() and root.exists()) or _ends(chain) < now + RENEWED_BEFORE:
        made = make_chain(now)
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(key, made.key, mode=0o600)
        replace_file(root, made.anchors)
        replace_file(chain, made.certificates)
    return SigningChain(chain.read_bytes(), key.read_bytes(), True, time_stamps, root.read_bytes())


def _ends(chain: Path) -> datetime:
    return x509.load_pem_x509_certificates(chain.read_bytes())[0].not_valid_after_utc


def make_chain(now: datetime, *, leaf_days: int = LEAF_DAYS, purpose: ObjectIdentifier | None = None) -> SigningChain:
    """A root and a leaf that it signed, valid from a day before `now`. `purpose` is the leaf's only one."""
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("root", root_key, None, now, ROOT_DAYS).sign(root_key, hashes.SHA256())
    asked = purpose or ExtendedKeyUsageOID.EMAIL_PROTECTION  # what C2PA asks of claim signers (spec 14.5.1)
    leaf = (
        _certificate("signer", leaf_key, root, now, leaf_days)
        .add_extension(x509.ExtendedKeyUsage([asked]), critical=asked == ExtendedKeyUsageOID.TIME_STAMPING)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return SigningChain(
        certificates=leaf.public_bytes(pem),
        key=leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        is_test=True,
        anchors=root.public_bytes(pem),
    )


def _certificate(
    role: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, now: datetime, days: int
) -> x509.CertificateBuilder:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Rollcall test {role}"),
        ]
    )
    signs_others = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=signs_others, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(signs_others), critical=True)
    )
    if issuer is not None:
        known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        from_issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)
        builder = builder.add_extension(from_issuer, critical=False)
    return builder


def _usage(signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others, key_cert_sign=signs_others, crl_sign=signs_others,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
