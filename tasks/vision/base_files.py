"""Which files of a diffusers folder a base loads, and nothing else: one rule for fetching, opening and fingerprinting.

`model_index.json` names the parts; a part is a folder with texts (configuration, tokenizer, chat template) and, for
networks, one variant of weights as safetensors. Single-file checkpoints at the root, other variants, pickles and parts
that no picture needs stay where they are. This module loads no torch.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.failures import RollcallError

INDEX = "model_index.json"
UNUSED = {"safety_checker", "feature_extractor", "image_encoder"}  # named by some bases, loaded by none of ours
TEXTS = (".json", ".txt", ".model", ".jinja")  # `.jinja`: without its chat template a language model encodes nothing
WEIGHTS = re.compile(
    r"(?P<stem>diffusion_pytorch_model|model)(\.(?P<variant>[a-z]\w*))?(?P<shard>-\d{5}-of-(?P<all>\d{5}))?"
    r"(\.(?P<late>[a-z]\w*))?\.safetensors"
)


class NotWhole(RollcallError):
    """A folder or repository lacks something that the base needs; the message names it."""


@dataclass(frozen=True)
class BaseFiles:
    """Everything a base loads, by paths relative to its folder."""

    texts: tuple[str, ...]
    weights: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.texts, *self.weights)


def read_index(folder: Path) -> dict[str, Any]:
    """What `model_index.json` says. NotWhole where there is none, or none that can be read."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
    except FileNotFoundError:
        raise NotWhole(f"there is no {INDEX}") from None
    except ValueError as broken:
        raise NotWhole(f"{INDEX} is not JSON") from broken
    if not isinstance(index, dict):
        raise NotWhole(f"{INDEX} is no table of parts")
    return index


def parts_of(index: dict[str, Any]) -> list[str]:
    """The parts that a `model_index.json` names and that are loaded. A part is one folder inside, never a way out."""
    named = (name for name, kind in index.items() if isinstance(kind, list) and len(kind) == 2 and kind[0])
    return sorted(name for name in named if name not in UNUSED and name.isidentifier())


def choose_files(
    names: Collection[str], index: dict[str, Any], variant: str | None = None, vae: str = "vae"
) -> BaseFiles:
    """What to take of `names`. Raises NotWhole where a part that the index names is not among them.

    `variant`: the weights of that name where a part has them, else the plain ones. `vae`: the folder to take for it.
    """
    texts, weights = [INDEX], []
    for part in parts_of(index):
        folder = vae if part == "vae" else part
        inside = sorted(name.split("/")[1] for name in names if name.count("/") == 1 and name.startswith(f"{folder}/"))
        if not inside:
            raise NotWhole(f"{INDEX} names {folder}, and there is no such folder")
        chosen, indices = _weights(folder, inside, variant)
        plain = [name for name in inside if name.endswith(TEXTS) and ".index." not in name]
        texts += [f"{folder}/{name}" for name in (*plain, *indices)]
        weights += [f"{folder}/{name}" for name in chosen]
    return BaseFiles(tuple(texts), tuple(weights))


def _weights(folder: str, inside: Collection[str], variant: str | None) -> tuple[list[str], list[str]]:
    """One variant's weights of a part, as one file or as all its shards with their index."""
    kinds: dict[str | None, list[re.Match[str]]] = {}
    for found in filter(None, (WEIGHTS.fullmatch(name) for name in inside)):
        kinds.setdefault(found["variant"] or found["late"], []).append(found)
    kind = variant if variant in kinds else None
    if kind not in kinds:
        if "config.json" in inside:  # a network, then; tokenizers and schedulers have other names for theirs
            raise NotWhole(f"{folder} holds no weights as safetensors")
        return [], []
    files = kinds[kind]
    if whole := [found for found in files if not found["shard"]]:
        return [whole[0].group()], []
    if len(files) != int(files[0]["all"]):
        raise NotWhole(f"{folder} holds {len(files)} of {int(files[0]['all'])} pieces of its weights")
    stem = f"{files[0]['stem']}.safetensors"
    spelled = [f"{stem}.index.{kind}.json", f"{stem}.{kind}.index.json"] if kind else [f"{stem}.index.json"]
    if not (indices := [name for name in spelled if name in inside]):
        raise NotWhole(f"{folder} lacks {spelled[0]}, which says what is in which piece of its weights")
    return [found.group() for found in files], indices[:1]


def files_in(folder: Path, variant: str | None = None, vae: str = "vae") -> BaseFiles:
    """The same of a folder on this machine. Weights that are cut off count as missing."""
    files = choose_files(names_in(folder), read_index(folder), variant, vae)
    for name in files.weights:
        if not _whole(folder / name):
            raise NotWhole(f"{name} is cut off, or no safetensors")
    return files


def names_in(folder: Path) -> list[str]:
    """Every file, by its path relative to the folder; no hidden ones."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))


def _whole(path: Path) -> bool:
    """Whether a safetensors file is as long as its header says: a cut download is not."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            return False
        try:
            header = json.loads(file.read(length))
        except ValueError:
            return False
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return size == 8 + length + max(ends, default=0)
