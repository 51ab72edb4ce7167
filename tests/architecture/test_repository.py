"""Rules about the repository's files: sizes, paths, the lock, and what the README promises."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from pipeline import settings

REPOSITORY = Path(__file__).parents[2]
CODE_FOLDERS = (
    "pipeline",
    "tests",
    "dbt_project/models",
    "dbt_project/macros",
    "dbt_project/tests",
)
MOST_LINES = 400

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
SCALE_LOCK = (REPOSITORY / "requirements-scale.lock").read_text(encoding="utf-8")


def _code() -> list[Path]:
    return sorted(
        path
        for folder in CODE_FOLDERS
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in {".py", ".sql"} and "__pycache__" not in path.parts
    )


def _own_text_files() -> list[Path]:
    tops = ["Makefile", "README.md", "pyproject.toml", "dagster.yaml", ".sqlfluff", ".env.example",
            ".pre-commit-config.yaml", ".ci/run", "warehouse/README.md"]  # fmt: skip
    documents = sorted((REPOSITORY / "docs").glob("*.md"))
    models = sorted((REPOSITORY / "dbt_project" / "models").rglob("*.yml"))
    return [*_code(), *documents, *models, *(REPOSITORY / name for name in tops)]


def test_no_file_of_code_is_too_long_to_read():
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _code()
    }

    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_file_names_a_path_of_one_machine():
    pattern = re.compile(r"(?<![\w.$}/])/(?:home|root|Users|work|mnt|opt)/\w")
    found = [
        f"{path.relative_to(REPOSITORY)}: {line.strip()}"
        for path in _own_text_files()
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line) and path != Path(__file__)
    ]

    assert found == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_module_is_named_after_nothing(name: str):
    assert list((REPOSITORY / "pipeline").rglob(f"{name}.py")) == []


@pytest.mark.parametrize("lock", [LOCK, SCALE_LOCK], ids=["base", "scale"])
def test_every_locked_requirement_has_a_hash(lock: str):
    entries = re.split(r"\n(?=\S)", lock.strip())
    requirements = [entry for entry in entries if not entry.startswith("#")]

    assert len(requirements) > 50
    assert [entry for entry in requirements if "--hash=sha256:" not in entry] == []
    assert [entry for entry in requirements if "==" not in entry.splitlines()[0]] == []


@pytest.mark.parametrize(
    "name",
    ["requirements.lock", "requirements-scale.lock", "Makefile", ".ci/run", "pyproject.toml"],
)
def test_no_package_index_is_named(name: str):
    text = (REPOSITORY / name).read_text(encoding="utf-8")

    assert re.findall(r"https?://|index-url|find-links|trusted-host", text.replace(
        "--no-emit-index-url", "").replace("http://127.0.0.1", "")) == []  # fmt: skip


def _names(lock: str) -> dict[str, str]:
    """Versions by name, as an index compares names."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[a-z0-9, ]+\])?==(\S+)", lock, re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in found}


def _required(requirements: list[str]) -> set[str]:
    names = (re.match(r"[A-Za-z0-9_.-]+", one) for one in requirements)
    return {name[0].lower().replace("_", "-") for name in names if name}


def test_every_direct_dependency_is_locked():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    base = _required([*project["project"]["dependencies"], *groups["dev"]])
    scale = _required([*project["project"]["optional-dependencies"]["scale"], *groups["scale-dev"]])

    assert base - _names(LOCK).keys() == set()
    assert (base | scale) - _names(SCALE_LOCK).keys() == set()


def test_nobody_else_installs_what_the_extra_needs_and_both_have_the_same_versions():
    base, scale = _names(LOCK), _names(SCALE_LOCK)

    assert {"pyspark", "celery", "psycopg2-binary", "s3fs"} & base.keys() == set()
    assert {name: scale.get(name) for name in base} == base


def test_the_readme_opens_with_two_commands():
    first_block = re.search(r"```\w*\n(.*?)```", README, re.DOTALL)

    assert first_block is not None
    assert first_block.group(1).split("\n") == ["make demo", "make test", ""]


def test_ci_runs_the_test_command_of_the_readme():
    lines = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert "make test" in lines
    assert (REPOSITORY / ".ci" / "run").stat().st_mode & 0o111


def test_make_alone_lists_every_target():
    result = subprocess.run(
        ["make", "--no-print-directory", "-C", REPOSITORY],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    phony = re.search(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)

    assert phony is not None
    assert set(re.findall(r"make ([\w-]+)", result.stdout)) == set(phony.group(1).split())


def test_every_setting_is_in_the_example_environment():
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")

    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert named == set(settings._VARIABLES)
