from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("training", "0003_tuning")]

    operations = [
        rls.protect("training_correction"),
        rls.protect("training_challenge"),
        rls.protect("training_observation"),
        rls.protect("training_alarm"),
        rls.protect("training_schedule"),
    ]
