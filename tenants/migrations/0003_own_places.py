import django.db.models.manager
from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_row_security")]

    operations = [
        # Who signs in sees where they belong before they choose a tenant.
        rls.reveal(
            "tenants_member",
            name="own",
            rule=f"user_id = {rls.SETTING.format(name='user_id')}::bigint",
        ),
        migrations.AlterModelManagers(
            name="member",
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
                ("objects", django.db.models.manager.Manager()),
            ],
        ),
    ]
