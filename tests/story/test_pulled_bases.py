"""The first hour with a real base, of each family, with tiny random weights: pulled from a hub, learned on, drawn with.

What is tried is the way, not the picture: random weights draw noise, in which nobody has a face.
"""

import csv
import json
import shutil
import tomllib
from pathlib import Path

import pytest

from benchmarks.random_bases import Architecture, write_random_base
from tasks.adapters.export import adapter_facts
from tests.story.conftest import Company, Installation
from tests.vision.loopback_hub import REVISION, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
FAMILIES: tuple[Architecture, ...] = ("sd", "sdxl", "flux2-klein", "z-image")


@pytest.fixture
def alone(company: Company, tmp_path: Path) -> Path:
    """A drop with one person."""
    drop = tmp_path / "drop"
    row = company.rows[0]
    shutil.copytree(company.drop / "selfies" / row["Employee ID"], drop / "selfies" / row["Employee ID"])
    with (drop / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        writer.writeheader()
        writer.writerow(row)
    shutil.copy(company.drop / "consents.csv", drop)
    return drop


def card_of(repository: Path) -> str:
    """The written base's card, as if its files lay at a hub; two steps of training, two of drawing."""
    table = tomllib.loads((repository.parent / f"{repository.name}.toml").read_text())
    del table["path"]
    table |= {"repository": "tiny/base", "revision": REVISION, "licence": "Apache-2.0"}
    table["training"] = table.get("training", {}) | {"steps": {"draft": 2}}
    table["render"] = table.get("render", {}) | {"steps": 2}
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in tables]
    for name, values in tables.items():
        inner = ", ".join
        cells = [
            f"{key} = {{{inner(f'{k} = {v}' for k, v in value.items())}}}" if isinstance(value, dict)
            else f"{key} = {json.dumps(value)}"
            for key, value in values.items()
        ]  # fmt: skip
        lines += [f"[{name}]", *cells]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("family", FAMILIES)
def test_pulled_learned_and_drawn_and_the_second_time_everything_is_there(
    family: Architecture, alone: Path, kits: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "repository" / "tiny"
    write_random_base(repository.parent, "tiny", family)
    bases = tmp_path / "bases"
    bases.mkdir()
    (bases / "tiny.toml").write_text(card_of(repository))
    one = Installation(tmp_path / "home", bases, kits)
    more = {"ROLLCALL_BASE": "tiny", "HF_HUB_OFFLINE": "0", "OMP_NUM_THREADS": "1"}

    refused = one.ended("make", str(alone), "--quality", "draft", **more)
    assert "rollcall models pull tiny" in refused
    assert not (one.home / "rollcall.db").exists(), "the base is asked for before anybody's photo"
    with serving(repository) as hub:
        assert "--accept" in one.ended("models", "pull", "tiny", "--mirror", hub.address, **more)
        one.run("models", "pull", "tiny", "--mirror", hub.address, "--accept", **more)
    assert one.rows("select subject, object from auditentry where action = 'licence_accepted'") == [
        ("tiny", f"Apache-2.0 {REVISION}")
    ]

    one.ended("make", str(alone), "--quality", "draft", **more)
    learned = one.digests()
    assert len(learned["adapters"]) == 1
    assert len(learned["headshots"]) >= 2
    assert one.rows("select distinct lane from headshot") == [("generated",)]
    one.ended("make", str(alone), "--quality", "draft", **more)
    assert one.digests() == learned, "the second run finds everything there"

    assert "tokens that tiny reads" in one.run("kit", "show", "harbour", "--out", str(tmp_path / "card.png"), **more)
    number, out = str(one.rows("select number from employee")[0][0]), tmp_path / "out"
    one.run("adapter", "export", number, "--to", str(out), **more)
    (written,) = out.iterdir()
    data = written.read_bytes()
    assert adapter_facts(data)["base"] == "tiny"
    one.run("adapter", "export", number, "--to", str(out), **more)
    assert [path.read_bytes() for path in out.iterdir()] == [data], "the same file, however often"
    said = one.ended("adapter", "export", number, "--to", str(out), "--format", "kohya", "--half", **more)
    kohya = " ".join(said.split())  # however wide the terminal is
    assert ("Written" in kohya) == (family in ("sd", "sdxl"))
    assert ("as they are" in kohya) != ("Written" in kohya)
    exported = one.rows("select count(*) from auditentry where action = 'adapter_exported'")
    assert exported == [(3 if "Written" in kohya else 2,)]
