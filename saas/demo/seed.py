"""The two demo tenants: signed up, filled with the demo's own data, trained."""

from __future__ import annotations

import csv
import io
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.utils import timezone
from tqdm import tqdm

from saas import imports
from saas.billing import plans
from saas.chat import actions, documents, knowledge, widgets
from saas.demo import events
from saas.demo.client import Client
from saas.demo.laptop import DemoError, Site, step
from saas.recommend import catalog
from tenants import keys, members
from tenants.models import Member, User
from tenants.scope import tenant_scope

DATA = Path(__file__).parent / "data"
PLAN = "payg"
BUSINESSES = {
    "harbour": ("Harbour & Pine 港松", "shop"),
    "lantern": ("Lantern Bank 明灯银行", "bank"),
}
KINDS = {"shop": ("intent", "recommend"), "bank": ("intent",)}
FILES = ("examples.csv", "replies.csv", "knowledge.csv", "items.jsonl")
RUN_TIMEOUT = 600.0
ORDER_STATUS = {
    "slots": [
        {
            "name": "order",
            "kind": "order_number",
            "ask": {
                "en": "What is your order number? It has five digits, such as 10023.",
                "zh": "请问您的订单号是多少？五位数字，例如 10023。",
            },
        }
    ],
    "answer": {
        "en": "Order {order} {state}. It should reach you on {day}.",
        "zh": "订单 {order} {state_zh}，预计 {day} 送达。",
    },
}
LOOK = {
    "title": {"en": "Harbour & Pine", "zh": "港松客服"},
    "colour": "#0b5d4b",
    "prompts": [
        {"en": "Where is order 10023?", "zh": "订单 10023 到哪了？"},
        {"en": "Do you have waterproof jackets under 100?", "zh": "有没有 100 以下的防水外套？"},
        {"en": "How do I return something?", "zh": "怎么退货？"},
    ],
}


@dataclass(frozen=True, slots=True)
class Business:
    slug: str
    name: str
    folder: str
    tenant_id: UUID
    client: Client
    agent: str
    password: str


def everything(site: Site) -> list[Business]:
    """Both tenants, ready to answer. What is there already is kept as it is."""
    businesses = [_sign_up(site, slug, *BUSINESSES[slug]) for slug in BUSINESSES]
    for business in businesses:
        live = {v["kind"] for v in business.client.get("versions")["results"] if v["active"]}
        missing = [kind for kind in KINDS[business.folder] if kind not in live]
        if missing:
            _import(business)
        for kind in missing:
            _train(site, business, kind)
    for business in businesses:
        _send_documents(business)
    for business in businesses:
        _await_knowledge(site, business)
        if business.folder == "shop":
            _look_orders_up(site, business)
            _put_widget(site, business)
    return businesses


def _sign_up(site: Site, slug: str, name: str, folder: str) -> Business:
    """The tenant of that slug and a key of it, which the demo keeps for its next start."""
    tenant_id = members.find_tenant_id(slug)
    owner = f"owner@{slug}.example"
    if tenant_id is None:
        tenant_id = members.sign_up(email=owner, password=None, name=name, slug=slug).id
        with tenant_scope(tenant_id):
            plans.subscribe(PLAN, actor=owner)
    file = site.home / f"{slug}.key"
    if not file.exists() or keys.find(file.read_text()) is None:
        with tenant_scope(tenant_id):
            _, secret = keys.issue(name="demo", actor=owner)
        file.touch(mode=0o600)
        file.write_text(secret)
    client = Client(site.url, file.read_text())
    agent = f"mei@{slug}.example"
    password = _employ(tenant_id, agent, by=owner, file=site.home / f"{slug}.password")
    return Business(slug, name, folder, tenant_id, client, agent, password)


def _employ(tenant_id: UUID, agent: str, *, by: str, file: Path) -> str:
    """Have an agent for the inbox, whose password the demo keeps for its next start."""
    user = User.objects.filter(email=agent).first() or User.objects.create_user(agent)
    with tenant_scope(tenant_id):
        if not Member.objects.filter(user=user).exists():
            owner = Member.objects.select_related("user").get(user__email=by)
            token = members.invite(by=owner, email=agent, role="agent")
            members.accept(token=token, user=user, name="Mei")
    if not file.exists() or not user.check_password(file.read_text()):
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(12))
        user.set_password(file.read_text())
        user.save(update_fields=["password"])
    return file.read_text()


def _import(business: Business) -> None:
    folder = DATA / business.folder
    for name in FILES:
        path = folder / name
        if path.exists():
            with path.open("rb") as file:
                _import_file(business, path.stem, file, name)
    if business.folder == "shop":
        rows = generated_events(timezone.now() - timedelta(hours=1))
        _import_file(business, "events", _as_csv(rows), "events.csv")


def _import_file(business: Business, kind: str, file: BinaryIO, name: str) -> None:
    description = f"{business.slug}: {kind}"
    with tqdm(
        desc=f"{description:<34}", unit=" rows", bar_format="{desc} {n_fmt} rows {elapsed}"
    ) as bar:
        report = imports.run(
            imports.KINDS[kind],
            file,
            name,
            tenant_id=business.tenant_id,
            advance=lambda done: bar.update(done - bar.n),
        )
    if report.failures:
        raise DemoError(f"{name}: {report.failures[:3]}")


def _send_documents(business: Business) -> None:
    """What was sent before stays as it was read."""
    for path in sorted((DATA / business.folder / "documents").iterdir()):
        form = documents.DocumentForm(name=path.name)
        with tenant_scope(business.tenant_id), path.open("rb") as file:
            documents.put(form, file, actor="demo")


def generated_events(until: datetime) -> list[dict[str, str]]:
    """A year of customer events of the shop, ending at `until`."""
    lines = (DATA / "shop" / "items.jsonl").read_text(encoding="utf-8").splitlines()
    return list(events.generate([json.loads(line) for line in lines], until=until))


def _as_csv(rows: list[dict[str, str]]) -> BinaryIO:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=["customer", "item", "kind", "value", "at"])
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def _train(site: Site, business: Business, kind: str) -> None:
    """Start a run over the API and follow its progress to the end."""
    client = business.client
    with step(f"{business.slug}: training {kind}") as bar:
        bar.total = 100
        open_runs = [
            run
            for run in client.get("training/runs")["results"]
            if run["kind"] == kind and run["state"] in ("queued", "running")
        ]
        run = open_runs[0] if open_runs else client.post("training/runs", {"kind": kind})

        def advance() -> bool:
            current = client.get(f"training/runs/{run['id']}")
            bar.update(int(current["progress"] * 100) - bar.n)
            if current["state"] in ("failed", "cancelled"):
                raise DemoError(f"Training {kind} {current['state']}: {current['error']}")
            return bool(current["state"] == "succeeded")

        _await(site, advance, f"Training {kind} did not end")


def _look_orders_up(site: Site, business: Business) -> None:
    """Have the shop's bot answer where an order is, by the shop's order server."""
    actor = f"owner@{business.slug}.example"
    setting = actions.Setting.model_validate(ORDER_STATUS | {"url": site.orders})
    with tenant_scope(business.tenant_id):
        _, secret = actions.put("order_status", setting, actor=actor)
        if secret is None and not site.orders_secret.exists():
            _, secret = actions.rotate("order_status", actor=actor)
    if secret:
        site.orders_secret.touch(mode=0o600)
        site.orders_secret.write_text(secret)


def _put_widget(site: Site, business: Business) -> None:
    """A key for the shop page's chat widget, kept for the next start on the same port."""
    origins = [site.url, site.url.replace("127.0.0.1", "localhost")]
    file = site.home / f"{business.slug}.page.key"
    known = keys.find(file.read_text()) if file.exists() else None
    if known is not None and known.origins is not None and site.url in known.origins:
        return
    with tenant_scope(business.tenant_id):
        key, secret = keys.issue(name="shop page", kind="pk", origins=origins, actor="demo")
        widgets.put(key.id, widgets.Look.model_validate(LOOK), actor="demo")
    file.touch(mode=0o600)
    file.write_text(secret)


def _await_knowledge(site: Site, business: Business) -> None:
    """Wait until the worker has read every document and embedded every passage and item."""

    def done() -> bool:
        with tenant_scope(business.tenant_id):
            return not documents.waiting() and not knowledge.waiting() and not catalog.waiting()

    with step(f"{business.slug}: search index"):
        _await(site, done, "The worker did not embed the knowledge")


def _await(site: Site, done: Callable[[], Any], complaint: str) -> None:
    deadline = time.monotonic() + RUN_TIMEOUT
    while not done():
        site.check()
        if time.monotonic() > deadline:
            raise DemoError(
                f"{complaint} within {RUN_TIMEOUT:.0f} s: see {site.home / 'worker.log'}."
            )
        time.sleep(0.3)
