"""The deployment files, as far as they can be checked without a container engine."""

from __future__ import annotations

import ast
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.test import Client

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("frontdesk:")}
ONE_SHOT = {"migrate"}
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
EXAMPLE = (DOCKER / ".env.example").read_text()
SETTINGS = (ROOT / "saas" / "settings.py").read_text()
READ_BY_SETTINGS = set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', SETTINGS))
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[-?])?")
SECRET = re.compile(r"SECRET|PASSWORD|AUTH|_URL$")


def environment(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in SERVICES[name].get("environment", {}).items()}


def commands() -> list[list[str]]:
    """What our image is told to run, by the services and by itself."""
    given = [SERVICES[name]["command"] for name in OURS]
    built_in = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return given + [ast.literal_eval(text) for text in built_in]


def test_services() -> None:
    assert set(SERVICES) == {
        *("postgres", "redis", "migrate", "web", "live", "worker", "courier", "beat", "proxy")
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_watched_and_restarted(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_only_the_proxy_is_reachable() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert [name for name, service in SERVICES.items() if "front" in service["networks"]] == [
        "proxy"
    ]
    assert COMPOSE["networks"]["back"]["internal"] is True


def test_services_wait_for_what_they_need() -> None:
    for name in OURS - ONE_SHOT:
        needs = {key: value["condition"] for key, value in SERVICES[name]["depends_on"].items()}
        assert needs == {"migrate": "service_completed_successfully", "redis": "service_healthy"}
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert SERVICES[needed]["healthcheck"]["test"]


def test_volumes_are_declared_and_models_are_shared() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])
    for name in used:
        assert not name.startswith(".") or (DOCKER / name).is_file()
    for name in ("web", "live", "worker"):
        assert any(volume.startswith("artifacts:") for volume in SERVICES[name]["volumes"])


def test_secrets_come_from_variables_only() -> None:
    """A password or key is nothing but a required variable, wherever it is used."""
    for name in SERVICES:
        for key, value in environment(name).items():
            if not SECRET.search(key):
                continue
            assert VARIABLE.search(value), f"{name} {key}"
            assert ":-" not in value, f"{name} {key} has a default"
            literal = re.sub(r"\$\{[^}]*\}", "", value)
            assert re.fullmatch(r"(\w+://(frontdesk_\w+)?:@\w+:\d+/\w+)?", literal), literal
    assert not re.search(r"^\s*(ARG|ENV).*(SECRET|PASSWORD|TOKEN)", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"SECRET_KEY=(\S+)", DOCKERFILE) == ["used-by-collectstatic-only"]


def test_variables_are_documented() -> None:
    text = (DOCKER / "compose.yml").read_text() + (DOCKER / "compose.gpu.yml").read_text()
    used = {name for name, _ in VARIABLE.findall(text)}
    required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    documented = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert used == set(documented)
    # What must be set stands there empty: no secret of an example ever reaches a deployment.
    assert set(re.findall(r"^([A-Z_]+)=$", EXAMPLE, re.MULTILINE)) == required
    assert not re.search(r"^[A-Z_]+=.", EXAMPLE, re.MULTILINE)
    for name, default in re.findall(r"\$\{([A-Z_]+):-([^${}]+)\}", text):
        assert documented[name] == default


def test_settings_and_compose_agree() -> None:
    in_image = set(re.findall(r"\b([A-Z_]+)=/\w", DOCKERFILE)) - {"HOME"}
    given = set().union(*(environment(name) for name in OURS)) | in_image
    assert given <= READ_BY_SETTINGS
    # A laptop's settings, and those whose default is right everywhere.
    left_out = {
        "DEBUG",
        "HTTPS",
        "SERVICES_FILE",
        "ENGINE_QUEUE",
        "RUN_LEASE_SECONDS",
        "TRIAL_TEXTS",
    }
    assert left_out >= READ_BY_SETTINGS - given


def test_only_migrate_holds_the_owners_password() -> None:
    """Neither the superuser nor the schema's owner is within a serving process's reach."""
    for name in SERVICES:
        values = " ".join(environment(name).values())
        assert ("OWNER_DB_PASSWORD" in values) == (name in {"postgres", "migrate"})
        assert ("POSTGRES_PASSWORD" in values) == (name == "postgres")
    for name in OURS:
        assert environment(name)["DATABASE_URL"].startswith("postgres://frontdesk_app:")


def test_roles_are_not_above_row_security() -> None:
    script = (DOCKER / "postgres" / "init.sql").read_text()
    created = re.findall(r"^CREATE ROLE (\w+) ([^;]*);", script, re.MULTILINE)
    assert [role for role, _ in created] == ["frontdesk_owner", "frontdesk_app"]
    for _, rights in created:
        assert {"NOSUPERUSER", "NOBYPASSRLS", "NOCREATEROLE"} <= set(rights.split())
        assert re.search(r"PASSWORD :'\w+'$", rights)
    assert "CREATE DATABASE frontdesk OWNER frontdesk_owner;" in script
    for name in re.findall(r"^\\getenv \w+ (\w+)$", script, re.MULTILINE):
        assert name in environment("postgres")


def test_commands_exist() -> None:
    programs = {entry.name for entry in entry_points(group="console_scripts")}
    for command in commands():
        if command[0] == "python":
            assert command[1] == "manage.py"
            assert command[2] in get_commands()
        else:
            assert command[0] in programs
        if command[0] == "celery":
            assert command[1:3] == ["-A", "saas"]
            assert (ROOT / "saas" / "celery.py").is_file()


@pytest.mark.parametrize("service", ["web", "live"])
def test_servers_serve_an_application(service: str) -> None:
    command = SERVICES[service]["command"]
    interface, target = command[command.index("--interface") + 1], command[-1]
    assert interface == {"web": "wsgi", "live": "asginl"}[service]
    assert target == {"web": settings.WSGI_APPLICATION.replace(".app", ":app")}.get(
        service, "saas.asgi:application"
    )
    module, name = target.split(":")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    assigned = [
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    ] + [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
    assert name in assigned


def test_granian_knows_the_options() -> None:
    from click import Context
    from granian.cli import cli

    for name in ("web", "live"):
        arguments = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in SERVICES[name]["command"]]
        cli.parse_args(Context(cli), arguments[1:])


def test_health_is_answered_under_any_host(settings: Any, db: None) -> None:
    """The checks call by loopback address, without TLS, where ALLOWED_HOSTS names the domain only."""
    settings.ALLOWED_HOSTS = ["shop.example"]
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/healthz", headers={"host": "127.0.0.1:8000"}).status_code == 200
    assert Client().get("/readyz", headers={"host": "127.0.0.1:8000"}).status_code in {200, 503}
    for path in re.findall(r"127\.0\.0\.1:8000(/\w+)", DOCKERFILE + str(SERVICES)):
        assert path in {"/healthz", "/readyz"}


def test_every_queue_has_a_service_of_its_own() -> None:
    """So no training run holds up webhooks."""
    queues = [
        command[command.index("--queues") + 1] for command in commands() if "worker" in command
    ]
    assert sorted(queues) == sorted(settings.CELERY_TASK_QUEUES)


def test_beat_uses_the_schedule_in_the_database() -> None:
    assert settings.CELERY_BEAT_SCHEDULER == "django_celery_beat.schedulers:DatabaseScheduler"
    assert SERVICES["beat"].get("deploy", {}).get("replicas", 1) == 1


def test_proxy_and_product_have_one_body_limit() -> None:
    caddyfile = (DOCKER / "proxy" / "Caddyfile").read_text()
    assert re.findall(r"max_size (\S+)", caddyfile) == ["{$UPLOAD_LIMIT_BYTES}"]
    default = f"${{UPLOAD_LIMIT_BYTES:-{settings.UPLOAD_LIMIT}}}"
    for name in ("proxy", "web", "live"):
        assert environment(name)["UPLOAD_LIMIT_BYTES"] == default
    assert environment("web")["BODY_LIMIT_BYTES"] == f"${{BODY_LIMIT_BYTES:-{settings.BODY_LIMIT}}}"


def test_proxy_leads_to_the_services() -> None:
    caddyfile = (DOCKER / "proxy" / "Caddyfile").read_text()
    assert set(re.findall(r"dynamic a (\w+) 8000", caddyfile)) == {"web", "live"}
    assert set(re.findall(r"\{\$([A-Z_]+)\}", caddyfile)) == set(environment("proxy"))
    ports = {port.split(":")[1] for port in SERVICES["proxy"]["ports"]}
    assert set(re.findall(r"https?_port (\d+)", caddyfile)) == ports


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_image_targets(target: str) -> None:
    stage = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    final = next(text for text in stage if re.match(rf"\S+ AS {target}\n", text))
    assert final.startswith(f"{target}-packages ")
    assert re.findall(r"^USER (\S+)$", final, re.MULTILINE) == ["10001:10001"]
    assert SERVICES["web"]["user"] == "10001:10001"
    packages = next(text for text in stage if re.match(rf"base AS {target}-packages\n", text))
    wanted = {"cpu": "requirements-cpu.txt", "gpu": "requirements.txt"}[target]
    assert re.findall(r"^COPY (requirements\S*)", packages, re.MULTILINE) == [wanted]
    assert (ROOT / wanted).is_file()


def test_image_holds_the_product_and_nothing_else() -> None:
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    lines = [line for line in ignore if line and not line.startswith("#")]
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    assert sent == {
        *("manage.py", "requirements.txt", "requirements-cpu.txt", "ml", "saas", "tenants")
    }
    assert all((ROOT / path).exists() for path in sent)
    assert "requirements-dev" not in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE


def test_gpu_override_is_of_a_service_and_a_target() -> None:
    override = yaml.safe_load((DOCKER / "compose.gpu.yml").read_text())
    for name, service in override["services"].items():
        assert name in OURS
        assert re.search(rf" AS {service['build']['target']}$", DOCKERFILE, re.MULTILINE)
        device = service["deploy"]["resources"]["reservations"]["devices"][0]
        assert device["capabilities"] == ["gpu"]
