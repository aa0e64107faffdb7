from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("labelling", "0001_initial")]

    operations = [
        rls.protect("labelling_job"),
        rls.protect("labelling_proposal"),
        rls.protect("labelling_turn"),
        rls.protect("labelling_annotation"),
        rls.protect("labelling_finding"),
    ]
