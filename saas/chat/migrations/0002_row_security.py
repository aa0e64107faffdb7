from django.db import migrations

from tenants import rls


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [
        rls.protect("chat_reply"),
        rls.protect("chat_passage"),
        rls.protect("chat_conversation"),
        rls.protect("chat_message"),
    ]
