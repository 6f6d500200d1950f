"""A small time-stamp authority (RFC 3161) on this machine, for the demo and for tests; a company names a public one.

A signature with a time stamp stays valid after its certificate has ended, since the stamp shows that it was made
before. This one is believed by nobody but our own reader, and says so in its name; its clock is an argument.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tasks.disclosure.chain import SigningChain, make_chain

POLICY = "1.3.6.1.4.1.13762.3"  # any object identifier will do; this one is documentation's
MOST_BYTES = 16 * 1024  # of a request; a real one has about 60

Clock = Callable[[], datetime]


@contextmanager
def local_authority(clock: Clock) -> Iterator[tuple[str, bytes]]:
    """Serves time stamps on loopback while the block runs: its address, and its root (PEM) for readers."""
    chain = make_chain(clock(), purpose=ExtendedKeyUsageOID.TIME_STAMPING)

    class Stamps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            answer = stamp(self.rfile.read(min(size, MOST_BYTES)), chain, clock())
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_about: object) -> None:
            """Nothing is logged: who asked when is nobody's business."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stamps)
    threading.Thread(target=server.serve_forever, name="time stamps", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", chain.anchors
    finally:
        server.shutdown()
        server.server_close()


def stamp(request: bytes, chain: SigningChain, now: datetime) -> bytes:
    """The answer to one request: that these bytes' hash was there at `now`. ValueError when it is no request."""
    asked = tsp.TimeStampReq.load(request)
    leaf = x509.load_pem_x509_certificates(chain.certificates)[0]
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": x509.random_serial_number() >> 1,
            "gen_time": now.replace(microsecond=0),
            "nonce": asked["nonce"].native,
        }
    )
    signed = cms.ContentInfo({"content_type": "signed_data", "content": _signed(info, leaf, chain)})
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": signed}).dump())


def _signed(info: tsp.TSTInfo, leaf: x509.Certificate, chain: SigningChain) -> cms.SignedData:
    der = leaf.public_bytes(serialization.Encoding.DER)
    certificate = asn1_x509.Certificate.load(der)
    content = core.ParsableOctetString(info.dump())
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(info.dump()).digest()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [_certificate_used(der)]}),
        ]
    )
    key = serialization.load_pem_private_key(chain.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value={"issuer": certificate.issuer, "serial_number": certificate.serial_number},
            ),
            "digest_algorithm": sha256,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": key.sign(attributes.untag().dump(), ec.ECDSA(hashes.SHA256())),
        }
    )
    return cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [sha256],
            "encap_content_info": {"content_type": "tst_info", "content": content},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )


def _certificate_used(der: bytes) -> tsp.SigningCertificateV2:
    return tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(der).digest()}]})
