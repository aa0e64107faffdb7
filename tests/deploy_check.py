"""`makemigrations --check` and `check --deploy`, as a deployment would run them."""

import os
import sys

from tests import services

os.environ.update(
    HTTPS="1", ALLOWED_HOSTS="frontdesk.example", DJANGO_SETTINGS_MODULE="saas.settings"
)


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("makemigrations", check=True, dry_run=True)
    call_command("migrate", database="owner", verbosity=0)
    call_command("check", deploy=True, databases=["default"], fail_level="WARNING")


if __name__ == "__main__":
    try:
        main()
    finally:
        services.stop()
    sys.exit(0)
