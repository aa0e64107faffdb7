"""ASGI entry of the web server."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")

application = get_asgi_application()

from saas import engine  # noqa: E402

engine.warm_up()
