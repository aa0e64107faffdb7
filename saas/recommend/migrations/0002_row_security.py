from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("recommend", "0001_initial")]

    operations = [
        rls.protect("recommend_item"),
        rls.protect("recommend_event"),
    ]
