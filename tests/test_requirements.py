"""What is installed: two lists that differ by FAISS alone, exact, and complete."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GPU, CPU, DEV = "requirements.txt", "requirements-cpu.txt", "requirements-dev.txt"
PEERS = "tests/bench/peers/requirements.txt"  # an environment of a benchmark's own
PIN = re.compile(r"^([a-z0-9.-]+)==([0-9]+(?:\.[0-9]+)*(?:\.?(?:post|rc|a|b)[0-9]+)?)$")
OURS = {"ml", "tenants", "saas", "tests"}


def entries(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def names(*lists: str) -> set[str]:
    return {re.split(r"[\[=]", entry)[0] for name in lists for entry in entries(name)}


def imported(*folders: str) -> set[str]:
    """The top-level packages that the source imports, anywhere in it."""
    found: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - OURS - set(sys.stdlib_module_names)


def missing(packages: set[str], listed: set[str]) -> list[str]:
    """Imported packages of which no distribution is listed."""
    distributions = packages_distributions()
    return sorted(
        package
        for package in packages
        if not {
            re.sub(r"[-_.]+", "-", name).lower() for name in distributions.get(package, [package])
        }
        & listed
    )


def test_the_two_lists_differ_by_faiss_alone() -> None:
    differing = set(entries(GPU)) ^ set(entries(CPU))
    versions = {entry.partition("==")[2] for entry in differing}
    assert {entry.partition("==")[0] for entry in differing} == {"faiss-gpu", "faiss-cpu"}
    assert len(versions) == 1
    assert len(entries(GPU)) == len(entries(CPU))


@pytest.mark.parametrize("name", [GPU, CPU, DEV])
def test_every_entry_is_pinned_exactly(name: str) -> None:
    """No range, no marker, and no local version such as +cpu, which one index alone has."""
    assert [entry for entry in entries(name) if not PIN.match(entry)] == []
    assert entries(name) == sorted(set(entries(name)))


def test_no_entry_is_in_two_lists() -> None:
    assert names(CPU) & names(DEV) == set()


def test_every_import_of_the_source_is_listed() -> None:
    assert missing(imported("ml", "tenants", "saas"), names(CPU)) == []


def test_every_import_of_the_tests_is_listed() -> None:
    assert missing(imported("tests"), names(CPU, DEV, PEERS)) == []
