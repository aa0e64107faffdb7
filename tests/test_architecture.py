"""Who may import whom. The table is the design's; a new package needs its own line in it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = (
    "saas.errors",
    "saas.rows",
    "saas.api",
    "saas.connection",
    "saas.engine",
    "saas.outside",
    "saas.rates",
    "saas.language_model",
    "saas.mail",
    "saas.streaming",
    "saas.workers",
)
PRODUCT = ("tenants", "saas.billing", "saas.training.store", "ml.types", "ml.language", *SHARED)
SLICES = (
    "billing",
    "training",
    "chat",
    "recommend",
    "labelling",
    "monitor",
    "portal",
    "widget",
    "demo",
    "webhooks",
)
FACES = ("saas.portal", "saas.widget", "saas.demo")
CHAT = (
    "saas.webhooks.events",
    "saas.webhooks.signing",
    "saas.training.rollout",
    "saas.training.corrections",
    "ml.adapters",
)
# Package: what of ours it may import besides itself. The longest name that fits a module counts.
MAY: dict[str, tuple[str, ...]] = {
    "ml": (),
    "tenants": (),
    "saas.billing": ("tenants", *SHARED),
    "saas.training": ("tenants", "saas.billing", "ml", *SHARED),
    "saas.chat": (*PRODUCT, *CHAT),
    "saas.chat.answers": (*PRODUCT, *CHAT, "saas.chat", "ml.retrieval"),
    "saas.chat.knowledge": (*PRODUCT, "saas.chat", "ml.retrieval", "ml.adapters", "ml.sentences"),
    "saas.chat.retrieval": (*PRODUCT, "saas.chat", "ml.retrieval", "ml.adapters", "ml.sentences"),
    "saas.chat.extraction": (*PRODUCT, "saas.chat", "ml.quoting", "ml.retrieval"),
    "saas.chat.generation": (
        *(*PRODUCT, "saas.chat"),
        *("ml.support", "ml.retrieval", "ml.sentences", "ml.background"),
    ),
    "saas.chat.slots": (*PRODUCT, "saas.chat", "ml.prices"),
    "saas.chat.dates": ("ml.numbers",),
    "saas.chat.safety": (*PRODUCT, "saas.chat", "ml.safety"),
    "saas.chat.teaching": (*PRODUCT, "saas.chat", "ml.personal"),
    "saas.chat.faq": (*PRODUCT, "saas.chat", "ml.personal", "ml.sameness", "ml.retrieval"),
    # Items in an answer: the one door from a conversation to the catalog.
    "saas.chat.products": (
        *(*PRODUCT, "saas.chat", "ml.prices"),
        *("saas.recommend.search", "saas.recommend.reasons"),
    ),
    # Files as blocks: plain Python, no tenant.
    "saas.chat.reading": ("saas.chat.reading", "saas.encodings", "ml.language"),
    "saas.recommend": PRODUCT,
    "saas.recommend.search": (
        *(*PRODUCT, "saas.recommend"),
        *("ml.retrieval", "ml.lexical", "ml.prices"),
    ),
    # settings.TRAINERS names it: training's own plug-in for this slice's models.
    "saas.recommend.recommender": (*PRODUCT, "saas.recommend", "ml.recommend", "ml.errors"),
    "saas.labelling": (
        *(*PRODUCT, "saas.training.examples", "saas.training.models"),
        *("ml.discovery", "ml.selection", "ml.labelnoise", "ml.agreement", "ml.personal"),
    ),
    # An accepted proposal goes live with its reply: chat's own way to write one.
    "saas.labelling.proposals": (
        *(*PRODUCT, "saas.labelling", "saas.training.examples", "ml.discovery"),
        "saas.chat.replies",
    ),
    # Others tell it what happens; it knows nothing of them.
    "saas.webhooks": PRODUCT,
    "saas.monitor": PRODUCT,
    "saas.errors": (),
    "saas.connection": (),
    "saas.outside": (),
    "saas.language_model": (),
    "saas.mail": (),
    "saas.workers": (),
    "saas.rows": (),
    "saas.streaming": (),
    "saas.rates": ("tenants.keys", "saas.errors"),
    "saas.engine": ("ml", "saas.errors"),
    "saas.api": ("tenants", "saas.billing.idempotency", *SHARED),
    # Wiring and faces: what they may not do is tested below.
    "saas": ("tenants", "saas", "ml.language", "ml.shapes"),
}
DOOR = re.compile(rf"^saas\.({'|'.join(SLICES)})\.(api|tasks)\b")
HEAVY = {"torch", "transformers", "faiss", "sklearn"}
# Modules that are nothing without torch: nobody else imports them before a model runs.
NETWORKS = {"ml.recommend.network", "ml.recommend.training"}
NOT_FOR_MODELS = {"django", "rest_framework", "celery", "redis", "psycopg2", "requests", "httpx"}
WRITES = {
    *("create", "bulk_create", "get_or_create", "update_or_create"),
    *("update", "bulk_update", "delete", "save"),
}


@dataclass(frozen=True)
class Import:
    """One imported module, and whether it is imported when the importing one is."""

    of: str
    by: str
    line: int
    at_once: bool

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.of}"


def modules() -> dict[str, str]:
    """The source of every module of the product, by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): text
        for folder in ("ml", "tenants", "saas")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (text := path.read_text(encoding="utf-8"))
    }


def imports(name: str, source: str) -> Iterator[Import]:
    """What a module imports; what is there for the type checker only does not count."""
    waiting: list[tuple[ast.AST, bool]] = [(ast.parse(source), True)]
    while waiting:
        node, at_once = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += [(child, at_once) for child in node.orelse]
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, name, node.lineno, at_once)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            for alias in node.names:
                yield Import(_module(node.module or "", alias.name), name, node.lineno, at_once)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        waiting += [(child, at_once and not inside) for child in ast.iter_child_nodes(node)]


def _module(package: str, name: str) -> str:
    """`from package import name`: the module that is meant."""
    path = ROOT.joinpath(*package.split("."), name)
    is_module = path.with_suffix(".py").exists() or path.is_dir()
    return f"{package}.{name}" if is_module else package


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def ours(module: str) -> bool:
    return module.split(".")[0] in ("ml", "tenants", "saas")


def forbidden(found: Import) -> bool:
    rule = max((package for package in MAY if within(found.by, package)), key=len)
    home = ".".join(rule.split(".")[:2]) if rule not in SHARED else rule
    allowed = (*MAY[rule], home if rule != "saas" else "saas")
    return ours(found.of) and not any(within(found.of, package) for package in allowed)


def knocks(found: Import) -> bool:
    """Whether it imports an API or Celery door that it has no business with."""
    door_of = DOOR.match(found.of)
    if not door_of or found.by in ("saas.urls", "saas.celery"):
        return False
    if within(found.by, door_of.group()):  # one module of an API to another
        return False
    if within(found.by, "saas.widget.api") and within(found.of, "saas.chat.api"):
        return False  # the same calls, in the same forms, by visitors
    slice_, _, door = found.of.rpartition(".")
    return not (door == "tasks" and within(found.by, slice_) and not found.at_once)


SOURCES = modules()
IMPORTS = [found for name, source in SOURCES.items() for found in imports(name, source)]


def test_every_package_has_a_rule() -> None:
    packages = {path.parent.name for path in (ROOT / "saas").glob("*/__init__.py")}
    assert packages - {"management"} <= set(SLICES)


def test_only_what_the_table_allows_is_imported() -> None:
    assert [str(found) for found in IMPORTS if forbidden(found)] == []


def test_an_api_or_a_task_is_imported_by_wiring_only() -> None:
    assert [str(found) for found in IMPORTS if knocks(found)] == []


def test_models_know_neither_django_nor_the_network() -> None:
    found = [i for i in IMPORTS if within(i.by, "ml") and i.of.split(".")[0] in NOT_FOR_MODELS]
    assert [str(i) for i in found] == []


def test_the_heavy_libraries_are_imported_where_a_model_runs() -> None:
    heavy = [i for i in IMPORTS if i.of.split(".")[0] in HEAVY or i.of in NETWORKS]
    found = [i for i in heavy if i.at_once and i.by not in NETWORKS]
    assert [str(i) for i in found] == []


def test_pages_write_through_the_slices() -> None:
    found = [
        f"{name}:{node.lineno} writes by itself: {ast.unparse(node.func)}"
        for name, source in SOURCES.items()
        if any(within(name, face) for face in FACES)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and ".objects" in ast.unparse(node.func)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("by", "source"),
    [
        ("ml.intent", "from tenants import scope"),
        ("ml.intent", "import saas.engine"),
        ("tenants.keys", "from saas.billing import plans"),
        ("saas.billing.usage", "from saas.training import runs"),
        ("saas.billing.usage", "def f():\n    from saas.training import store"),
        ("saas.training.runs", "from saas.chat import knowledge"),
        ("saas.chat.answers", "from saas.training import runs"),
        ("saas.chat.answers", "from saas.training.models import Run"),
        ("saas.chat.answers", "from saas.recommend.models import Item"),
        ("saas.chat.answers", "from ml.intent import IntentModel"),
        ("saas.recommend.picks", "from ml.recommend import Recommender"),
        ("saas.recommend.picks", "import saas.urls"),
        ("saas.rows", "from saas.chat import knowledge"),
    ],
)
def test_the_table_bites(by: str, source: str) -> None:
    assert [found for found in imports(by, source) if forbidden(found)]


@pytest.mark.parametrize(
    ("by", "source"),
    [
        ("saas.imports", "from saas.chat import api"),
        ("saas.chat.knowledge", "from saas.chat.tasks import embed"),
        ("saas.chat.knowledge", "from saas.chat import tasks"),
        ("saas.billing.quota", "def f():\n    from saas.training.tasks import train"),
        ("saas.chat.knowledge", "def f():\n    from saas.chat.api import Messages"),
    ],
)
def test_the_doors_are_shut(by: str, source: str) -> None:
    assert [found for found in imports(by, source) if knocks(found)]


def test_django_its_urls_and_its_tasks_start_without_the_heavy_libraries() -> None:
    program = """if True:
        import sys, django
        django.setup()
        import saas.urls
        from django.core.management import call_command
        from saas.celery import app
        call_command("check")
        app.loader.import_default_modules()
        assert "saas.training.tasks.train" in app.tasks
        print(*sorted({name.split(".")[0] for name in sys.modules}))
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "saas.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "django" in loaded
    assert loaded & HEAVY == set()
