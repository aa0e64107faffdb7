from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "saas.portal"
