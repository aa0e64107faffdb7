from django.apps import AppConfig


class SaasConfig(AppConfig):
    name = "saas"

    def ready(self) -> None:
        from saas import checks, openapi  # noqa: F401  (registered by being imported)
