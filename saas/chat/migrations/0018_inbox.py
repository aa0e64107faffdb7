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
MADE = models.DateTimeField(default=django.utils.timezone.now, editable=False)


def of_conversation(name):
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=name,
        to="chat.conversation",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0017_widget"),
        ("tenants", "0003_own_places"),
    ]

    operations = [
        migrations.AddField(
            model_name="handoff",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="merged",
                to="chat.handoff",
            ),
        ),
        migrations.AddField(
            model_name="handoff",
            name="snoozed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("merged_into", None), _negated=True),
                fields=["tenant", "merged_into"],
                name="hand_off_merged",
            ),
        ),
        migrations.CreateModel(
            name="Canned",
            fields=[
                ("id", ID.clone()),
                ("name", models.CharField(max_length=40)),
                ("language", models.CharField(max_length=2)),
                ("text", models.TextField()),
                ("created_at", MADE.clone()),
                ("tenant", TENANT.clone()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "name", "language"), name="canned_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", ID.clone()),
                ("agent", models.CharField(max_length=128)),
                ("text", models.TextField()),
                ("mentions", models.JSONField(default=list)),
                ("created_at", MADE.clone()),
                ("conversation", of_conversation("notes")),
                ("tenant", TENANT.clone()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        fields=["tenant", "conversation", "created_at"], name="note_in_order"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                ("conversation", of_conversation("tags")),
                ("tenant", TENANT.clone()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "conversation", "name"), name="tag_once"
                    )
                ],
            },
        ),
        rls.protect("chat_canned"),
        rls.protect("chat_note"),
        rls.protect("chat_tag"),
    ]
