"""What can be held of images, compose and Kubernetes without an engine: linters, schemas, and that they fit.

The image's one real step, `deploy/install.sh`, is run by tests/story/test_installed.py in an empty folder.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from compose_spec import ComposeSpecification
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flows.cli import app
from tasks.vault.settings import SECRET, Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS = [
    (path.name, document)
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]
PODS = {
    document["metadata"]["name"]: document["spec"]["template"]["spec"]
    for _, document in MANIFESTS
    if document["kind"] in {"StatefulSet", "Deployment"}
}
OURS = {name: service for name, service in COMPOSE["services"].items() if name in ("control", "worker")}


def test_the_dockerfile_is_clean_and_nobody_in_it_is_root() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    stages = re.split(r"^FROM ", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    finals = [stage for stage in stages if re.match(r"plain AS (cpu|cuda)\b", stage)]
    assert len(finals) == 2
    assert not any("USER" in stage for stage in finals), "they stay who `plain` is"
    assert "USER 10001:10001" in (DEPLOY / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["compose.yaml", "compose.cuda.yaml"])
def test_the_compose_files_are_valid(name: str) -> None:
    ComposeSpecification.model_validate(yaml.safe_load((DEPLOY / name).read_text()))


@pytest.mark.parametrize("document", [one for _, one in MANIFESTS], ids=[f"{n}-{d['kind']}" for n, d in MANIFESTS])
def test_every_manifest_is_valid(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_the_kustomization_lists_every_manifest() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted({name for name, _ in MANIFESTS})


@pytest.mark.parametrize("pod", PODS)
def test_pods_are_nobodys_root_and_keep_their_hands_off_the_machine(pod: str) -> None:
    spec = PODS[pod]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    [container] = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]


def environment_of() -> list[tuple[str, str, str]]:
    """(where, variable, value) of everything that we set anywhere."""
    found = [(f"compose {n}", k, str(v)) for n, s in OURS.items() for k, v in s["environment"].items() if k != "<<"]
    found += [(f"pod {n}", e["name"], e["value"]) for n, s in PODS.items() for e in s["containers"][0]["env"]]
    return found


@pytest.mark.parametrize(("where", "variable", "value"), environment_of())
def test_every_variable_is_a_setting_of_ours(where: str, variable: str, value: str) -> None:
    if not variable.startswith("ROLLCALL_"):
        assert variable in {"AWS_SHARED_CREDENTIALS_FILE", "PREFECT_API_DATABASE_CONNECTION_URL_FILE"}
        return
    name = variable.removeprefix("ROLLCALL_").lower()
    assert name in Settings.model_fields or name.removesuffix("_file") in SECRET
    if name.removesuffix("_file") in (*SECRET, "master_key"):
        assert value.startswith("/run/"), "a secret is a file"


def test_a_worker_gets_no_secret_that_it_does_not_need() -> None:
    known = {item["path"] for volume in PODS["worker"]["volumes"] for item in volume.get("secret", {}).get("items", [])}
    needed = {"database_url", "keys_url", "blob_url", "machine_login", "master_key", "s3_credentials"}
    assert set(OURS["worker"]["secrets"]) == known == needed
    assert {"desk_password", "prefect_database_url"} <= set(OURS["control"]["secrets"])
    for name, service in OURS.items():
        files = {Path(v).name for k, v in service["environment"].items() if k != "<<" and str(v).startswith("/run/")}
        assert files <= set(service["secrets"]), name


def commands() -> list[list[str]]:
    return [service["command"] for service in OURS.values()] + [spec["containers"][0]["args"] for spec in PODS.values()]


@pytest.mark.parametrize("words", commands(), ids=lambda words: words[0])
def test_every_command_takes_the_words_that_it_is_given(words: list[str]) -> None:
    command = typer.main.get_command(app)
    found = command.get_command(typer.Context(command), words[0])  # type: ignore[attr-defined]
    found.make_context(words[0], list(words[1:]))  # parses; raises for an option that is not there


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_ask_pages_that_the_desk_answers_to_strangers(probe: str) -> None:
    from reports.door.routes import ANYBODY, ROUTES

    path = PODS["control"]["containers"][0][probe]["httpGet"]["path"]
    assert ROUTES[f"GET {path}"] == ANYBODY
    assert (path == "/ready") is (probe == "readinessProbe"), "who is not ready is not killed"


def pinned(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;+]+)", text, re.MULTILINE))


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_what_images_install_is_what_was_tested_with_the_hash_of_every_file(target: str) -> None:
    """`deploy/lock.sh` writes the lists anew."""
    text = (DEPLOY / f"requirements.{target}.txt").read_text()
    tested, locked = pinned((DEPLOY.parent / "constraints.txt").read_text()), pinned(text)
    assert {name: version for name, version in locked.items() if tested.get(name, version) != version} == {}
    wanted = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["dependencies"]
    missing = {canonicalize_name(Requirement(one).name) for one in wanted} - set(locked)
    assert not missing, "a new dependency: run deploy/lock.sh, which writes the lists anew"
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_cpus_image_takes_no_cuda_along() -> None:
    locked = pinned((DEPLOY / "requirements.cpu.txt").read_text())
    assert [name for name in locked if name.startswith(("nvidia-", "cuda-", "triton"))] == []
    cuda = set(pinned((DEPLOY / "requirements.cuda.txt").read_text()))
    assert {name for name in cuda if not name.startswith(("nvidia-", "cuda-", "triton"))} == set(locked)


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_units_start_a_command_that_exists_and_start_it_again(unit: Path) -> None:
    text = unit.read_text()
    [words] = re.findall(r"^ExecStart=/opt/rollcall/bin/rollcall (.+)$", text, re.MULTILINE)
    test_every_command_takes_the_words_that_it_is_given(words.split())
    assert "Restart=on-failure" in text
    assert "WantedBy=multi-user.target" in text
