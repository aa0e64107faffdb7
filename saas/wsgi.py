"""WSGI entry of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
# A call's products of matrices are small: spread over threads, those wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

application = get_wsgi_application()

from saas import engine  # noqa: E402

engine.warm_up()
