from django.apps import AppConfig


class WidgetConfig(AppConfig):
    name = "saas.widget"
