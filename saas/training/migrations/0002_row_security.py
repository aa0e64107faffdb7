from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial")]

    operations = [
        rls.protect("training_example"),
        rls.protect("training_run"),
        rls.protect("training_logline"),
        rls.protect("training_modelversion"),
        rls.protect("training_revision"),
    ]
