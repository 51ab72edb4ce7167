"""The rooms' import contracts of pyproject.toml, and what the contracts cannot say."""

import ast
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "pipeline"


def test_the_rooms_import_only_what_the_contracts_allow():
    program = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


def test_environment_variables_are_read_in_the_settings_only():
    readers = [
        path.relative_to(REPOSITORY)
        for path in PACKAGE.rglob("*.py")
        if _reads_environment(ast.parse(path.read_text(encoding="utf-8")))
    ]

    # The demo only adds the loopback address to NO_PROXY.
    allowed = {Path("pipeline/settings.py"), Path("pipeline/show/cli/demo.py")}
    assert set(readers) <= allowed


def test_nothing_outside_of_show_prints():
    printers = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert printers == []


def _reads_environment(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            return True
    return False
