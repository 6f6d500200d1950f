"""What the settings name to sign with, and whom to believe: used as it is meant, or refused in words that help."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tasks.disclosure.chain import ORGANISATION, SigningChain, make_chain
from tasks.disclosure.credentials import sign
from tasks.disclosure.of_photos import photo_signer
from tasks.disclosure.source import Origin
from tasks.disclosure.trust import own_root, photo_roots, signing_chain
from tasks.vault.failures import BadSetting
from tasks.vault.settings import Settings
from tasks.vision.images import encode

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def chain() -> SigningChain:
    return make_chain(NOW)


def test_without_settings_a_test_chain_signs_and_half_a_setting_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert own_root(settings) == b""
    chain = signing_chain(settings, NOW)
    assert chain.is_test
    assert own_root(settings) == chain.anchors
    for half in ("signing_chain", "signing_key_file"):
        with pytest.raises(BadSetting, match="belong together"):
            signing_chain(settings.model_copy(update={half: tmp_path / "one.pem"}), NOW)


def test_the_company_s_own_chain_signs_where_the_settings_name_it(tmp_path: Path, chain: SigningChain) -> None:
    (tmp_path / "chain.pem").write_bytes(chain.certificates)
    (tmp_path / "key.pem").write_bytes(chain.key)
    named = Settings(
        home=tmp_path, signing_chain=tmp_path / "chain.pem", signing_key_file=tmp_path / "key.pem",
        time_stamps="http://stamps.example",
    )  # fmt: skip
    ours = signing_chain(named, NOW)
    assert (ours.certificates, ours.key, ours.is_test) == (chain.certificates, chain.key, False)
    assert ours.time_stamps == "http://stamps.example"
    assert own_root(named) == b""  # no test chain was made beside it


def test_whatever_stands_beside_the_roots_hides_no_camera_s_signature(tmp_path: Path, chain: SigningChain) -> None:
    """Lists that are handed round hold headings in any encoding."""
    camera = sign(
        encode(np.full((128, 128, 3), 120, np.uint8), "jpeg"), "jpeg", Origin("digitalCapture", "Camera", "", ""), chain
    )
    assert photo_roots(Settings(home=tmp_path)) == b""
    path = tmp_path / "roots.pem"
    other = make_chain(NOW).anchors
    for before, after in ((b"", b""), (b"Roots f\xfcr alle\r\n", b"\n\xffgarbage\n"), (other, b"")):
        path.write_bytes(before + chain.anchors + after)
        assert photo_signer(camera, photo_roots(Settings(home=tmp_path, photo_roots=path))) == ORGANISATION


def test_roots_that_are_none_are_refused_and_not_taken_for_an_empty_list(tmp_path: Path, chain: SigningChain) -> None:
    path = tmp_path / "roots.pem"
    binary = x509.load_pem_x509_certificates(chain.anchors)[0].public_bytes(Encoding.DER)
    for wrong in (b"", b"roots", binary, chain.anchors[:-40], b"\xff\xfe" + chain.anchors.decode().encode("utf-16-le")):
        path.write_bytes(wrong)
        with pytest.raises(BadSetting, match="openssl x509 -inform der"):
            photo_roots(Settings(home=tmp_path, photo_roots=path))
    with pytest.raises(BadSetting, match=r"cannot be read \(No such file or directory\)"):
        photo_roots(Settings(home=tmp_path, photo_roots=tmp_path / "nowhere.pem"))
