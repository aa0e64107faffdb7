from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial")]

    operations = [
        rls.protect("webhooks_webhook"),
        rls.protect("webhooks_event"),
        rls.protect("webhooks_delivery"),
    ]
