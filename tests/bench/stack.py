"""The product as a benchmark sees it: every process running, and tenants made for the day."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from saas.demo import laptop
from tests.bench.http import Caller

RUN_TIMEOUT = 3600.0


def start(running: ExitStack) -> laptop.Site:
    """Web server, worker and databases of the benchmark's own; rates are not limited."""
    name = f"bench-{os.getpid()}"  # a home of its own: others may be at work
    home = laptop.ROOT / "var" / name
    # Once all has stopped: tenants without the files of their models would be half of what they were.
    running.callback(shutil.rmtree, home, True)
    return laptop.start(
        running,
        port=8100,
        name=name,
        RATE_LIMIT="100000000/minute",
        LOG_LEVEL="WARNING",
        ARTIFACTS=str(home / "artifacts"),
        DOCUMENTS=str(home / "documents"),
    )


class Tenant:
    """A new tenant of the running product, with its caller."""

    def __init__(self, site: laptop.Site, name: str) -> None:
        from saas.billing import plans
        from tenants import keys, members
        from tenants.scope import tenant_scope

        slug = f"{name}-{secrets.token_hex(4)}"
        owner = f"owner@{slug}.example"
        tenant = members.sign_up(email=owner, password=None, name=name, slug=slug)
        with tenant_scope(tenant.id):
            plans.subscribe("payg", actor=owner)
            _, secret = keys.issue(name="bench", actor=owner)
        self.id: UUID = tenant.id
        self.slug = slug
        self.call = Caller(site.url, secret)

    def train(self, kind: str) -> UUID:
        """Train over the API; returns the id of the version, which must be live."""
        run = self.call.post("training/runs", {"kind": kind})
        deadline = time.monotonic() + RUN_TIMEOUT
        with laptop.step(f"{self.slug}: {kind}") as bar:
            bar.total = 100
            while run["state"] not in ("succeeded", "failed", "cancelled"):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{kind} run of {self.slug} did not end: {run}")
                time.sleep(0.1)
                run = self.call.get(f"training/runs/{run['id']}")
                bar.update(int(run["progress"] * 100) - bar.n)
        if run["state"] != "succeeded":
            raise RuntimeError(f"{kind} run of {self.slug} {run['state']}: {run['error']}")
        if not self.call.get(f"versions/{run['id']}")["active"]:
            raise RuntimeError(f"The new {kind} version of {self.slug} is not live.")
        return UUID(run["id"])

    def load(self, kind: str, version: UUID) -> Any:
        """The artifact of a version, as the product has written it."""
        from saas.training import store
        from tenants.scope import tenant_scope

        with tenant_scope(self.id):
            folder: Path = store.folder(kind, version)
        return store.trainer(kind).load(folder)
