"""The house stays a house: who may import whom, how big things get, and what never comes in."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "crisisdesk"
GROUND = {"config", "clock", "errors", "i18n"}
MAY_IMPORT = {
    "domain": set(), "store": {"domain"}, "desk": {"domain", "store"}, "reports": {"domain", "store"},
    "ui": {"domain", "desk", "reports"}, "cli": {"domain", "store", "desk", "reports", "ui"},
}  # fmt: skip
AT_HOME = {
    "sqlmodel": {"store"}, "sqlalchemy": {"store"}, "sqlite3": {"store"}, "pysqlite3": {"store"},
    "textual": {"ui"}, "rich": {"ui"},
}  # fmt: skip
FIELD_LIBRARIES = {"phonenumbers", "dateutil", "stdnum", "anyascii", "rapidfuzz", "crisisdesk"}
NOT_PURE = {"os", "io", "socket", "subprocess", "tempfile", "shutil", "pathlib", "sqlite3", "random", "secrets", "time"}
MOST_LINES, MOST_LINES_FUNCTION, MOST_METHODS, MEDIAN_FUNCTION = 400, 60, 20, 12
OUTERMOST = {"cli/main.py", "cli/defects.py", "ui/app.py"}
"""Where a defect is caught for the agent's sake; nowhere else."""
CLOCK_CALLS = re.compile(r"(?:datetime|date)\.(?:now|utcnow|today|fromtimestamp|utcfromtimestamp)$|^time\.time$")
MACHINE_PATHS = re.compile(r"(?<![\w.:/~-])/(?:home|root|Users|w[o]rk)/\w")
FILES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.fixture(scope="module", params=FILES, ids=name_of)
def file(request: pytest.FixtureRequest) -> tuple[Path, ast.Module]:
    return request.param, ast.parse(request.param.read_text(encoding="utf-8"))


def imported(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Absolute dotted names that a file imports anywhere, with their lines."""
    package = ["crisisdesk", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


def test_rooms_import_downwards_only(file: tuple[Path, ast.Module]) -> None:
    path, tree = file
    here = room_of(path)
    wrong = []
    for line, name in imported(path, tree):
        parts = name.split(".")
        if parts[0] in AT_HOME and here not in AT_HOME[parts[0]]:
            wrong.append(f"{line}: {parts[0]} in {here}")
        if parts[0] == "crisisdesk" and here in MAY_IMPORT and len(parts) > 1:
            known = parts[1] in MAY_IMPORT and parts[1] != here
            if known and parts[1] not in MAY_IMPORT[here] and not only_for_types(tree, line):
                wrong.append(f"{line}: {here} imports {parts[1]}")
        if here in GROUND and parts[0] == "crisisdesk" and len(parts) > 1 and parts[1] in MAY_IMPORT:
            wrong.append(f"{line}: the ground floor imports {parts[1]}")
        if here == "domain" and (parts[0] not in FIELD_LIBRARIES | sys.stdlib_module_names or parts[0] in NOT_PURE):
            wrong.append(f"{line}: domain imports {parts[0]}")
    assert wrong == []


def only_for_types(tree: ast.Module, line: int) -> bool:
    """The import serves annotations only (under TYPE_CHECKING)."""
    guards = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return any(guard.lineno < line <= (guard.end_lineno or 0) for guard in guards)


def test_nothing_outgrows_its_place(file: tuple[Path, ast.Module]) -> None:
    path, tree = file
    lines = path.read_text(encoding="utf-8").count("\n")
    big = [f"{lines} lines"] if lines > MOST_LINES else []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            big += [f"{node.lineno}: {node.name} has {size} lines"] if size > MOST_LINES_FUNCTION else []
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body)
            big += [f"{node.lineno}: {node.name} has {methods} methods"] if methods > MOST_METHODS else []
    assert big == []


def test_functions_are_short() -> None:
    sizes = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert median(sizes) <= MEDIAN_FUNCTION


def test_only_the_clock_asks_what_time_it_is(file: tuple[Path, ast.Module]) -> None:
    path, tree = file
    if name_of(path) == "clock.py":
        return
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert [call.lineno for call in calls if CLOCK_CALLS.search(ast.unparse(call.func))] == []
    if room_of(path) == "domain":
        assert "crisisdesk.clock.now" not in {name for _line, name in imported(path, tree)}


def test_defects_are_caught_at_the_outermost_frame_only(file: tuple[Path, ast.Module]) -> None:
    path, tree = file
    if name_of(path) in OUTERMOST:
        return
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = ast.unparse(node.type) if node.type else "everything"
            cleans_up = kinds == "BaseException" and isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if kinds in {"everything", "Exception", "BaseException"} and not cleans_up:
                wrong.append(f"{node.lineno}: except {kinds}")
    assert wrong == []


def test_no_unfinished_business(file: tuple[Path, ast.Module]) -> None:
    path, _tree = file
    assert re.findall(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError", path.read_text(encoding="utf-8")) == []


def test_no_room_for_everything() -> None:
    names = {path.stem for path in FILES}
    assert names & {"utils", "helpers", "misc", "manager", "base", "common"} == set()


def test_texts_are_looked_up_when_shown(file: tuple[Path, ast.Module]) -> None:
    """`_()` at import time would freeze the language of the first agent; an f-string inside it has no catalogue."""
    _path, tree = file
    lookups = {"_", "ngettext", "pgettext"}
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in lookups:
            wrong += [f"{node.lineno}: f-string" for argument in node.args if isinstance(argument, ast.JoinedStr)]
    for statement in evaluated_at_import(tree):
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in lookups:
                wrong.append(f"{node.lineno}: looked up at import")
    assert wrong == []


def evaluated_at_import(tree: ast.Module | ast.ClassDef) -> Iterator[ast.AST]:
    """What runs when the module is imported: everything but the bodies of functions and lambdas."""
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            yield from evaluated_at_import(statement)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (default for default in (*statement.args.defaults, *statement.args.kw_defaults) if default)
        elif not any(isinstance(node, ast.Lambda) for node in ast.walk(statement)):
            yield statement


def loaded(statement: str) -> set[str]:
    """Top-level modules in memory after a statement, in a fresh process."""
    code = f"{statement}\nimport sys\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.splitlines()[-1].split())


HEAVY = {
    "textual", "rich", "sqlmodel", "sqlalchemy", "phonenumbers", "stdnum", "rapidfuzz", "xlsxwriter", "python_calamine",
}  # fmt: skip


def test_the_version_costs_nothing() -> None:
    found = loaded("from crisisdesk.cli.main import run; assert run(['--version']) == 0")
    assert found & (HEAVY | {"pydantic", "dateutil", "sqlite3", "pysqlite3"}) == set()


def test_the_app_imports_no_store() -> None:
    found = loaded("import crisisdesk.ui.app")
    assert "textual" in found
    assert found & (HEAVY - {"textual", "rich"}) == set()


def test_commands_import_no_screens() -> None:
    found = loaded("from crisisdesk.cli.main import make_parser; make_parser()")
    assert found & HEAVY == set()


def tracked() -> list[Path]:
    """Files of the project, or nothing outside a checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return []
    return [path for name in ran.stdout.splitlines() if (path := ROOT / name).is_file()] if ran.returncode == 0 else []


def test_no_file_names_the_machine_it_was_written_on() -> None:
    files = tracked()
    if not files:
        pytest.skip("no checkout here: which files belong to the project is not known")
    wrong = []
    for path in files:
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if MACHINE_PATHS.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert wrong == []


def test_every_text_is_in_every_language() -> None:
    pytest.importorskip("babel", reason="Babel (dependency group dev) extracts the texts")
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "catalogue.py"), "--check"], capture_output=True, text=True, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stderr
