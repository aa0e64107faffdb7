"""PostgreSQL row security: the policies, the rights of the application's role, and their inspection."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.migrations.operations import RunSQL
from django.db.models import Model
from django.db.models.signals import post_migrate

# On a reused connection the setting is '' rather than NULL after the first commit: hence nullif.
SETTING = "nullif(current_setting('app.{name}', true), '')"
TENANT = SETTING.format(name="tenant_id") + "::uuid"
# The rule of `protect` as PostgreSQL prints it.
RULE = r"^\((tenant_id|id) = \(NULLIF\(current_setting\('app\.tenant_id'::text, true\), ''::text\)\)::uuid\)$"


def protect(table: str, *, column: str = "tenant_id") -> RunSQL:
    """Migration operation: only rows of the current tenant can be seen or written, owner included."""
    rule = f"{column} = {TENANT}"
    return RunSQL(
        sql=[
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} USING ({rule}) WITH CHECK ({rule})",
        ],
        reverse_sql=[
            f"DROP POLICY tenant ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ],
    )


def reveal(table: str, *, name: str, rule: str) -> RunSQL:
    """Migration operation: let rows be read (never written) by `rule`, before the tenant is known."""
    return RunSQL(
        sql=f"CREATE POLICY {name} ON {table} FOR SELECT USING ({rule})",
        reverse_sql=f"DROP POLICY {name} ON {table}",
    )


def tenant_models() -> list[type[Model]]:
    """Every model whose rows belong to a tenant."""
    from tenants.models import Tenant, TenantModel

    return [m for m in apps.get_models() if issubclass(m, TenantModel) or m is Tenant]


def unprotected_tables() -> list[str]:
    """Tenant-owned tables without enabled, forced row security and its policy: must be empty.

    The policy must be the one that `protect` makes, and no other one may let rows be written, or be
    read without a setting that names them.
    """
    tables = [model._meta.db_table for model in tenant_models()]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
               WHERE c.relname = ANY(%s) AND c.relrowsecurity AND c.relforcerowsecurity
                 AND p.polname = 'tenant' AND p.polpermissive AND p.polcmd = '*'
                 AND c.relnamespace = 'public'::regnamespace
                 AND pg_get_expr(p.polqual, c.oid) ~ %s
                 AND pg_get_expr(p.polwithcheck, c.oid) ~ %s
                 AND NOT EXISTS (
                   SELECT FROM pg_policy other
                   WHERE other.polrelid = c.oid AND other.oid <> p.oid AND other.polpermissive
                     AND NOT (other.polcmd = 'r'
                       AND pg_get_expr(other.polqual, c.oid) LIKE '%%current_setting(''app.%%'))""",
            [tables, RULE, RULE],
        )
        protected = {row[0] for row in cursor.fetchall()}
    return sorted(set(tables) - protected)


def refuse_exempt_role(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Refuse a connection whose role is above row security: the wall would not hold for it."""
    if connection.vendor != "postgresql":
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (15 or newer).")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        role, superuser, bypass = cursor.fetchone()
    if superuser or bypass:
        raise ImproperlyConfigured(
            f"The database role {role!r} ignores row security, so tenants would not be kept apart. "
            f"Use a role that is NOSUPERUSER NOBYPASSRLS: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS."
        )


def grant_rights(using: str, **_: Any) -> None:
    """After migrations: the application's role may read and write rows, and nothing else."""
    role = connections["default"].settings_dict["USER"]
    if connections[using].settings_dict["USER"] == role:
        return
    with connections[using].cursor() as cursor:
        quoted = connections[using].ops.quote_name(role)
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}"
        )
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {quoted}")
        for model in apps.get_models():
            table = connections[using].ops.quote_name(model._meta.db_table)
            if getattr(model, "append_only", False):
                cursor.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {quoted}")
            if getattr(model, "operator_only", False):
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {quoted}")


def connect_signals() -> None:
    connection_created.connect(refuse_exempt_role, dispatch_uid="refuse_exempt_role")
    # post_migrate fires once per app with models; at the last of them every table is there.
    last = [app for app in apps.get_app_configs() if app.models_module][-1]
    post_migrate.connect(grant_rights, sender=last, dispatch_uid="grant_rights")
    if settings.DATABASES["default"]["ENGINE"] != "tenants.database":
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (15 or newer).")
