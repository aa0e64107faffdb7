import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tenants.scope
from tenants import rls

TENANT = models.ForeignKey(
    db_index=False,
    default=tenants.scope.current_tenant_id,
    editable=False,
    on_delete=django.db.models.deletion.PROTECT,
    related_name="+",
    to="tenants.tenant",
)
ID = models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0016_sentiment"),
        ("tenants", "0002_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="contact",
            field=models.JSONField(
                default=dict, help_text="name and email, where the widget asked"
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("customer", ""), _negated=True),
                fields=["tenant", "customer", "-updated_at"],
                name="conversation_by_customer",
            ),
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", ID.clone()),
                ("name", models.CharField(max_length=200)),
                ("type", models.CharField(max_length=60)),
                ("size", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="chat.message",
                    ),
                ),
                ("tenant", TENANT.clone()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["tenant", "message"], name="attachment_of_message"),
                    models.Index(fields=["tenant", "digest"], name="attachment_by_content"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Widget",
            fields=[
                ("id", ID.clone()),
                ("look", models.JSONField(default=dict)),
                ("secret", models.TextField(blank=True, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.apikey",
                    ),
                ),
                ("tenant", TENANT.clone()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "key"), name="one_widget_of_a_key")
                ],
            },
        ),
        rls.protect("chat_attachment"),
        rls.protect("chat_widget"),
    ]
