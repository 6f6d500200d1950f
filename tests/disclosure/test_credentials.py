"""Signed credentials: who signed, when, and whether a single byte has changed since; nobody in them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.disclosure.chain import ORGANISATION, RENEWED_BEFORE, SigningChain, company_chain, make_chain, own_test_chain
from tasks.disclosure.credentials import NotSigned, read_credentials, sign
from tasks.disclosure.source import origin_of
from tasks.disclosure.time_stamping import local_authority
from tasks.vault.failures import BadSetting
from tasks.vision.images import Picture, encode

NOW = datetime.now(UTC).replace(microsecond=0)
GENERATED = origin_of("generated", "0.2.0 embedded")


@pytest.fixture(scope="module")
def chain() -> SigningChain:
    return make_chain(NOW)


@pytest.fixture(scope="module")
def stamped(chain: SigningChain) -> Iterator[SigningChain]:
    """The chain with a time-stamp authority of this machine, whose root the reader is told."""
    with local_authority(lambda: NOW) as (address, root):
        yield replace(chain, time_stamps=address, anchors=chain.anchors + root)


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_every_format_is_signed_and_says_what_it_is(form: str, masters: list[Picture], chain: SigningChain) -> None:
    data = encode(masters[0][:400, :400].copy(), form)  # type: ignore[arg-type]
    found = read_credentials(sign(data, form, GENERATED, chain), form, chain.anchors)
    assert found is not None
    assert (found.source_type, found.system) == ("trainedAlgorithmicMedia", "Rollcall 0.2.0 embedded")
    assert found.valid
    assert found.trusted
    assert (found.signer, found.signed_at) == (ORGANISATION, None)


def test_a_reader_that_does_not_know_the_root_says_so_and_no_more(masters: list[Picture], chain: SigningChain) -> None:
    found = read_credentials(sign(encode(masters[0], "jpeg"), "jpeg", GENERATED, chain), "jpeg")
    assert found is not None
    assert (found.valid, found.trusted) == (True, False)


def test_each_flipped_byte_is_reported(masters: list[Picture], chain: SigningChain) -> None:
    signed = sign(encode(masters[0], "jpeg"), "jpeg", GENERATED, chain)
    for share in (0.3, 0.6, 0.99):
        broken = bytearray(signed)
        broken[int(len(broken) * share)] ^= 1
        found = read_credentials(bytes(broken), "jpeg", chain.anchors)
        assert found is not None
        assert (found.changed, found.valid, found.trusted) == (True, False, False)


def test_a_file_without_credentials_has_none(masters: list[Picture]) -> None:
    assert read_credentials(encode(masters[0], "jpeg"), "jpeg") is None


def test_a_time_stamp_says_when_and_what_a_file_grows_is_small(masters: list[Picture], stamped: SigningChain) -> None:
    data = encode(masters[0], "jpeg")
    signed = sign(data, "jpeg", GENERATED, stamped)
    found = read_credentials(signed, "jpeg", stamped.anchors)
    assert found is not None
    assert (found.signed_at, found.trusted) == (NOW, True)
    assert len(signed) - len(data) <= 13 * 1024  # of which the library keeps 10 KiB free for stamps of any authority
    bare = sign(data, "jpeg", GENERATED, replace(stamped, time_stamps=None))
    assert len(bare) - len(data) <= 4 * 1024


READ = """
import sys
from pathlib import Path
from tasks.disclosure.credentials import read_credentials
found = read_credentials(Path(sys.argv[1]).read_bytes(), "jpeg", Path(sys.argv[2]).read_bytes())
print(found.valid, found.trusted, found.signed_at.isoformat() if found.signed_at else None, *found.faults)
"""


@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs faketime, to read in another year")
def test_two_years_after_the_certificate_has_ended_only_the_stamped_file_is_valid(
    masters: list[Picture], stamped: SigningChain, tmp_path: Path
) -> None:
    (tmp_path / "roots.pem").write_bytes(stamped.anchors)
    said = []
    for time_stamps in (stamped.time_stamps, None):
        picture = tmp_path / "picture.jpg"
        picture.write_bytes(
            sign(encode(masters[0], "jpeg"), "jpeg", GENERATED, replace(stamped, time_stamps=time_stamps))
        )
        later = (NOW + timedelta(days=366 * 3)).strftime("%Y-%m-%d %H:%M:%S")
        command = ["faketime", later, sys.executable, "-c", READ, str(picture), str(tmp_path / "roots.pem")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        said.append(done.stdout.split())
    assert said == [["True", "True", NOW.isoformat()], ["False", "False", "None", "signingCredential.expired"]]


def test_nothing_personal_and_nothing_that_can_be_fetched_is_in_it(masters: list[Picture], chain: SigningChain) -> None:
    signed = sign(encode(masters[0], "jpeg"), "jpeg", GENERATED, chain)
    words = (b"thumbnail", b"ingredient", b"http://127", b"author", b"/home", b"/tmp")
    assert [word for word in words if word in signed] == []


def test_an_authority_that_is_down_stops_signing_with_a_sentence(masters: list[Picture], chain: SigningChain) -> None:
    with pytest.raises(NotSigned, match="the time stamp could not be had"):
        sign(encode(masters[0], "jpeg"), "jpeg", GENERATED, replace(chain, time_stamps="http://127.0.0.1:9"))


def test_the_test_chain_is_made_once_kept_from_others_and_renewed_before_it_ends(tmp_path: Path) -> None:
    first = own_test_chain(tmp_path, NOW)
    assert own_test_chain(tmp_path, NOW + timedelta(days=300)).certificates == first.certificates
    later = own_test_chain(tmp_path, NOW + timedelta(days=366) - RENEWED_BEFORE + timedelta(days=1))
    assert later.certificates != first.certificates
    assert (tmp_path / "test-key.pem").stat().st_mode & 0o077 == 0
    assert first.is_test
    assert "BEGIN" not in repr(first)


def test_a_company_s_chain_is_read_and_a_key_of_another_is_refused(tmp_path: Path, chain: SigningChain) -> None:
    certificates, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificates.write_bytes(chain.certificates)
    key.write_bytes(chain.key)
    assert company_chain(certificates, key, None).key == chain.key
    key.write_bytes(make_chain(NOW).key)
    with pytest.raises(BadSetting, match="does not belong"):
        company_chain(certificates, key, None)
    key.write_text("not a key")
    with pytest.raises(BadSetting, match="cannot be read"):
        company_chain(certificates, key, None)
    with pytest.raises(BadSetting, match="cannot be read"):
        company_chain(tmp_path / "nowhere", key, None)
