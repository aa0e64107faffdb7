from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "saas.chat"
