from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0019_taught"),
    ]

    operations = [
        migrations.AddField(
            model_name="handoffpolicy",
            name="away",
            field=models.JSONField(default=dict),
        ),
    ]
