"""Whether this process is alive, and whether it is ready to answer."""

import redis
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse

from saas import engine
from saas.connection import redis_client
from tenants import rls


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> JsonResponse:
    """What answers need, part by part; 503 until all of it is there."""
    parts = {
        "database": _database(),
        "wall": _wall(),
        "redis": _redis(),
        "encoder": engine.is_ready(),
    }
    status = 200 if all(parts.values()) else 503
    return JsonResponse(parts, status=status)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _wall() -> bool:
    """Whether every tenant-owned table is behind row security; without it nothing is served."""
    try:
        return not rls.unprotected_tables()
    except Error:
        return False


def _redis() -> bool:
    try:
        return bool(redis_client().ping())
    except redis.RedisError:
        return False
