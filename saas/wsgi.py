"""WSGI entry of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")

application = get_wsgi_application()

from saas import engine  # noqa: E402

engine.warm_up()
