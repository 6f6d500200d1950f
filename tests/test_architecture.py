"""The house keeps its shape: who may import whom, which door a package comes in by, how long a room may be.

The rules are those of the design: stories import steps, steps import foundations and earlier steps, nothing
imports stories; each third-party package has one door; Prefect's decorators stay at the edges.
"""

import ast
import builtins
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("flows", "tasks", "reports", "synthetic")
STEPS = ("disclosure", "roster", "selfies", "adapters", "headshots", "likeness", "delivery", "retention")
FOUNDATIONS = ("vault", "vision")
DOORS = {
    # Two services of one vendor, so two doors: where blobs lie, and where the master key does.
    "boto3": ("tasks/vault/blobs", "tasks/vault/master_kms"),
    "botocore": ("tasks/vault/blobs", "tasks/vault/master_kms"),
    "c2pa": ("tasks/disclosure/credentials",),
    "asn1crypto": ("tasks/disclosure/time_stamping",),
    "authlib": ("reports/door/oidc",),
    "joserfc": ("reports/door/oidc",),
    "fpdf": ("reports/desk/receipt_paper",),
    "jinja2": ("reports/site",),
    "pandas": ("tasks/roster/",),
    "torch": ("tasks/vision/", "tasks/adapters/", "tasks/headshots/render", "synthetic/"),
    "diffusers": ("tasks/vision/", "tasks/adapters/", "tasks/headshots/render", "synthetic/"),
    "peft": ("tasks/vision/", "tasks/adapters/", "tasks/headshots/render", "synthetic/"),
    "transformers": ("tasks/vision/", "synthetic/"),
    "prefect": ("flows/", "reports/task.py", "tasks/*/task.py"),
}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "core", "base", "misc", "service", "handler"}
MODULE_LINES = 400  # the design aims at 300; this is where a room has to become two
FUNCTION_LINES = 60
TRAINING_LOOP_LINES = 90


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module name that a file imports, at any depth, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno} imports by dots"
            yield node.module or "", node.lineno


def test_nothing_imports_flows_and_tasks_never_import_reports() -> None:
    wrong = []
    for path in modules():
        for name, line in imported(path):
            top, room = name.split(".")[0], relative(path).split("/")[0]
            if (top == "flows" and room != "flows") or (top in {"reports", "synthetic"} and room == "tasks"):
                wrong.append(f"{relative(path)}:{line} imports {name}")
            if top == "synthetic" and room != "synthetic":
                wrong.append(f"{relative(path)}:{line} imports {name}")
    assert wrong == []


def test_steps_import_foundations_and_earlier_steps_only() -> None:
    wrong = []
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        parts = path.relative_to(ROOT / "tasks").parts
        if len(parts) < 2:
            continue
        room = parts[0]
        for name, line in imported(path):
            if not name.startswith("tasks."):
                continue
            other = name.split(".")[1]
            backwards = room in STEPS and other in STEPS and STEPS.index(other) > STEPS.index(room)
            upwards = room in FOUNDATIONS and other in STEPS
            sees_records = room == "vision" and other == "vault" and name != "tasks.vault.files"  # files, not people
            if backwards or upwards or sees_records:
                wrong.append(f"{relative(path)}:{line} imports {name}")
    assert wrong == []


def test_the_report_knows_no_desk_and_the_door_no_page() -> None:
    """Of `reports/`: the report below, then what lets people and files in, then the desk's pages above both."""
    above = {"": ("door", "uploads", "desk"), "door": ("uploads", "desk"), "uploads": ("door", "desk"), "desk": ()}
    rooms = {
        path.parent.relative_to(ROOT / "reports").as_posix().strip(".") for path in (ROOT / "reports").rglob("*.py")
    }
    assert rooms == set(above)
    wrong = []
    for path in (ROOT / "reports").rglob("*.py"):
        room = path.parent.relative_to(ROOT / "reports").as_posix().strip(".")
        for name, line in imported(path):
            if name.startswith("reports.") and name.split(".")[1] in above[room]:
                wrong.append(f"{relative(path)}:{line} imports {name}")
    assert wrong == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """A contract imports nobody who keeps it: who opens by name stands beside both (`open_drop`, `open_blobs`,
    `open_eyes`)."""
    known = {relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in modules()}
    wanted = {
        name: {
            other
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module
            for other in (f"{node.module}.{node.names[0].name}", node.module)
            if other in known and other != name
        }
        for name, path in known.items()
    }
    while free := {name for name, others in wanted.items() if not others & wanted.keys()}:
        wanted = {name: others for name, others in wanted.items() if name not in free}
    while ends := wanted.keys() - set().union(*wanted.values()):  # who only leads into a circle
        wanted = {name: others for name, others in wanted.items() if name not in ends}
    assert sorted(wanted) == []


@pytest.mark.parametrize("package", sorted(DOORS))
def test_each_package_has_one_door(package: str) -> None:
    wrong = []
    for path in modules():
        where = relative(path)
        inside = any(where.startswith(door) or path.match(door) for door in DOORS[package])
        if not inside:
            wrong += [f"{where}:{line}" for name, line in imported(path) if name.split(".")[0] == package]
    assert wrong == []


# Who decodes in its own process: the sandbox's openers, and readers of what this product itself wrote.
DECODERS = {
    "read_picture": {
        "tasks/vision/photos.py", "tasks/adapters/portraits.py", "tasks/likeness/everybody.py",
        "tasks/likeness/judge_job.py", "tasks/delivery/leaving.py",
    },
    "parse_tables": set(),  # tables.py names it to the sandbox
    "read_workbook": {"tasks/roster/tables.py"},
}  # fmt: skip


@pytest.mark.parametrize("name", DECODERS)
def test_what_strangers_send_is_opened_in_the_sandbox_only(name: str) -> None:
    users = set()
    for path in modules():
        if relative(path).startswith("synthetic/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
                users.add(relative(path))
    assert users <= DECODERS[name], "open it with tasks/vision/photos.py or tasks/roster/tables.py"


def test_nothing_else_opens_pictures_or_tables_but_what_this_product_made() -> None:
    """`Image.open` tries every decoder there is: only for our own files, or inside the sandbox."""
    own = {
        "tasks/disclosure/marking.py", "tasks/disclosure/label.py", "reports/pictures.py",
        "reports/kit_pictures.py",  # drawn people that ship with the product
        "tasks/disclosure/source.py",  # called in the sandbox, by verify.py
    }  # fmt: skip
    words = ("Image.open(", "imdecode(", "imread(", "open_heif(", "load_workbook(")
    users = {relative(p) for p in modules() if any(word in p.read_text() for word in words)}
    users -= {path for path in users if path.startswith("synthetic/")}
    assert users - own <= {"tasks/vision/images.py", "tasks/roster/workbook.py"}


def test_step_packages_hold_a_docstring_and_nothing_else() -> None:
    for path in sorted((ROOT / "tasks").rglob("__init__.py")):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, f"{relative(path)} holds more than a docstring"
        assert ast.get_docstring(ast.parse(path.read_text())), relative(path)


def test_every_module_says_in_its_first_line_why_it_exists() -> None:
    silent = [relative(p) for p in modules() if not ast.get_docstring(ast.parse(p.read_text()))]
    assert silent == []


def test_names_say_something() -> None:
    assert [relative(p) for p in modules() if p.stem in VAGUE] == []
    assert [p.name for p in (ROOT / "flows").glob("*.py") if p.stem in {"tasks", "reports", "flows", "synthetic"}] == []


def test_no_two_classes_have_one_name() -> None:
    """Whoever reads `Order` or `Finished` in one room must not think of another's; a private class is a room's own."""
    places: dict[str, list[str]] = {}
    for path in modules():
        if "migrations/versions" in relative(path):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(f"{relative(path)}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_what_is_foreseen_is_one_tree_and_a_defect_says_so() -> None:
    """`RollcallError` is what the command line catches; whoever raises a class from outside calls it a defect."""
    bases: dict[str, list[str]] = {}
    told: dict[str, str] = {}
    for path in modules():
        if relative(path).startswith("synthetic/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(base) for base in node.bases]
                told[node.name] = ast.get_docstring(node) or ""

    def root(name: str) -> str:
        return root(bases[name][0]) if bases.get(name) else name

    raised = {name for name in bases if issubclass(vars(builtins).get(root(name), object), Exception)}
    assert {"RollcallError", "VaultError", "NoSuchBatch", "KitError"} <= raised
    outside = {
        name for name in raised
        if name != "RollcallError" and not name.startswith("_") and "RollcallError" not in ancestry(name, bases)
    }  # fmt: skip
    assert [name for name in sorted(outside) if "a defect" not in told[name]] == []


def ancestry(name: str, bases: dict[str, list[str]]) -> list[str]:
    """The first bases of a class, up to the last that is ours."""
    line = [name]
    while bases.get(line[-1]):
        line.append(bases[line[-1]][0])
    return line


def test_the_command_line_catches_one_class_of_ours() -> None:
    """Every command's fault comes out at one door (`InSentences`). What commands catch themselves is a question to ask
    and no end: files to take away, one of many files that is no picture, a length that cannot be counted, a plan for
    nobody, decisions that are none."""
    allowed = {"TooManyGo", "Refused", "UnknownBase", "DropFault", "BadDecisions"}
    nodes = (node for path in modules() for node in ast.walk(ast.parse(path.read_text())))
    ours = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    caught = {
        f"{relative(path)}: {name.id}"
        for path in (ROOT / "flows").glob("cli*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and node.type
        for name in ast.walk(node.type)
        if isinstance(name, ast.Name) and name.id in ours - allowed
    }
    assert caught == set()


# What nobody here calls, and why it is there: printed into documents, or what a test looks at the product with.
CALLED_FROM_OUTSIDE = {
    "data_map", "findings_table", "left_alone_table",  # docs/data.md and docs/photos.md, which tests compare with them
    "team_wall_picture",  # draws docs/team-wall.png
    "local_authority",  # a time-stamp authority on this machine, for whoever tries ROLLCALL_TIME_STAMPS
    "search_files", "search_blobs", "adapter_facts", "finish_photo", "find_faces", "PAPERS",
}  # fmt: skip


def test_nothing_sleeps() -> None:
    """A function, class or constant whose name stands nowhere else in the product is done by nobody: wake it, or let it
    go. Commands, routes and what a decorator takes are called by their frameworks."""
    texts = {path: path.read_text() for path in [*modules(), *(ROOT / "reports").rglob("*.html")]}
    texts[ROOT / "prefect.yaml"] = (ROOT / "prefect.yaml").read_text()
    words = Counter(word for text in texts.values() for word in re.findall(r"[A-Za-z_]\w*", text))
    asleep = []
    for path in texts:
        if path.suffix != ".py" or "migrations" in path.parts or "synthetic" in path.parts:
            continue
        for node in ast.parse(texts[path]).body:
            names = []
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.decorator_list:
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            asleep += [f"{relative(path)}: {name}" for name in names if words[name] == 1 and name[:2] != "__"]
    assert [one for one in asleep if one.split(": ")[1] not in CALLED_FROM_OUTSIDE] == []


def test_numbers_say_what_they_are_and_why() -> None:
    """A limit, a weight or a size at the top of a module has a comment beside it, or over the block it stands in."""
    bare = []
    for path in modules():
        if relative(path).startswith("synthetic/") or "migrations" in path.parts:
            continue
        lines = path.read_text().splitlines()
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not is_number(node.value):
                continue
            block = lines[: node.lineno - 1][::-1]
            over = block[: block.index("") if "" in block else len(block)]
            beside = any("#" in line for line in lines[node.lineno - 1 : node.end_lineno])
            if not beside and not any(line.startswith("#") for line in over):
                bare.append(f"{relative(path)}:{node.lineno} {lines[node.lineno - 1]}")
    assert bare == []


def is_number(value: ast.expr | None) -> bool:
    """A number, several, or a span of time; a table of words with numbers in it explains itself."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) == "timedelta"
    if isinstance(value, ast.Tuple):
        return bool(value.elts) and all(is_number(one) for one in value.elts)
    if isinstance(value, ast.BinOp):
        return is_number(value.left) and is_number(value.right)
    if isinstance(value, ast.UnaryOp):
        return is_number(value.operand)
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def test_programs_that_tests_start_import_what_there_is() -> None:
    """They stand in strings, where no checker reads them: a changed name is noticed here, not in the slow suite."""
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            for module, names in re.findall(
                r"^\s*from ((?:tasks|flows|reports)\.[\w.]+) import ([\w, ]+)$", node.value, re.M
            ):
                if module.startswith("tasks.room"):
                    continue  # made up, by the tests of the mutants
                place = ROOT / module.replace(".", "/")
                code = (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_text()
                for name in (one.split(" as ")[0].strip() for one in names.split(",")):
                    there = re.search(rf"\b{name}\b", code) or (place / f"{name}.py").exists()
                    wrong += [] if there else [f"{relative(path)}:{node.lineno} {module}.{name}"]
    assert wrong == []


def test_rooms_and_functions_stay_small() -> None:
    long = []
    for path in modules():
        if "migrations/versions" in relative(path):
            continue  # written by Alembic, read top to bottom once
        text = path.read_text()
        if text.count("\n") > MODULE_LINES:
            long.append(f"{relative(path)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                limit = TRAINING_LOOP_LINES if node.name.startswith("train") else FUNCTION_LINES
                if lines > limit:
                    long.append(f"{relative(path)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_no_exception_is_swallowed_and_nothing_is_unpickled() -> None:
    wrong = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
                wrong.append(f"{relative(path)}:{node.lineno} swallows an exception")
        wrong += [
            f"{relative(path)}:{line} {name}" for name, line in imported(path) if name in {"pickle", "cloudpickle"}
        ]
        # Checkpoints of nets that only ever saw drawn people may hold optimizer state; nothing that runs code may.
        loads = path.read_text().count("torch.load(")
        harmless = path.read_text().count("weights_only=True") if relative(path).startswith("synthetic/") else 0
        if loads > harmless:
            wrong.append(f"{relative(path)} loads a pickle")
    assert wrong == []


def test_there_is_one_way_to_replace_a_file() -> None:
    """Ten hand-written ones had six without a flush: `tasks/vault/files.py` does it, durably."""
    wrong = [
        relative(path)
        for path in modules()
        if "os.replace(" in path.read_text()
        and relative(path) != "tasks/vault/files.py"
        and not relative(path).startswith("synthetic/")  # the workshop, on no user's machine
    ]
    assert wrong == []


def test_tests_start_browsers_in_one_way() -> None:
    """A second driver in a process refuses to start: eight tests did not run in CI, by the order of files alone."""
    calls = [path for path in (ROOT / "tests").rglob("*.py") if ".sync_playwright()" in path.read_text()]
    assert [relative(path) for path in calls if path != Path(__file__)] == ["tests/reports/browsing.py"]


def test_the_packages_come_from_this_checkout() -> None:
    """`flows` and `tasks` are names on the package index too: whoever is later in an environment wins, quietly."""
    import flows
    import reports
    import tasks

    for package in (flows, tasks, reports):
        assert Path(package.__file__ or "").resolve().parents[1] == ROOT


def test_no_loader_goes_to_the_network_or_opens_a_pickle() -> None:
    """Whatever is loaded lies here: fetching is the puller's work alone, and asked for by name."""
    calls = [
        (path.relative_to(ROOT).as_posix(), {one.arg: one.value for one in node.keywords})
        for path in modules() if path.is_relative_to(ROOT / "tasks")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "from_pretrained"
    ]  # fmt: skip
    assert calls
    for where, words in calls:
        asked = {name: getattr(value, "value", None) for name, value in words.items()}
        assert asked.get("local_files_only") is True, where
        assert asked.get("use_safetensors") is True or where == "tasks/vision/tokens.py", (
            where
        )  # which loads no weights


def test_who_learns_and_draws_nothing_starts_without_the_libraries_for_it() -> None:
    """They are three fifths of what a process takes to start, and every run and every command is one."""
    asked = "import sys, flows.headshots, flows.reshoot, flows.retention, flows.deliver, reports.desk.app; "
    asked += "print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    opened = set(said.stdout.split())
    assert opened & {"torch", "diffusers", "transformers", "peft"} == set()
    assert "prefect" in opened
