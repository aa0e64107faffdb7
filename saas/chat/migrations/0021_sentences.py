"""The vectors of a passage's sentences; what is there already gets them where it is embedded next."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0020_away"),
    ]

    operations = [
        migrations.AddField(
            model_name="passage",
            name="sentences",
            field=models.BinaryField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="passage",
            name="spans",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(), default=list, editable=False, size=None
            ),
        ),
    ]
