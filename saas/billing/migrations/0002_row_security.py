from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        rls.protect("billing_subscription"),
        rls.protect("billing_usagerecord"),
        rls.protect("billing_usagehour"),
        rls.protect("billing_rollup"),
        rls.protect("billing_quota"),
        rls.protect("billing_reservation"),
        rls.protect("billing_answer"),
    ]
