from django.db import migrations

from tenants import rls

KEY = f"hash = {rls.SETTING.format(name='key_hash')}"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        rls.protect("tenants_tenant", column="id"),
        # The operator's periodic work, and look-ups by slug, precede the choice of a tenant.
        rls.reveal(
            "tenants_tenant",
            name="every_tenant",
            rule=f"{rls.SETTING.format(name='every_tenant')} = 'on'",
        ),
        rls.protect("tenants_member"),
        rls.protect("tenants_invitation"),
        rls.reveal("tenants_invitation", name="by_hash", rule=KEY),
        rls.protect("tenants_apikey"),
        rls.reveal("tenants_apikey", name="by_hash", rule=KEY),
        rls.protect("tenants_auditevent"),
    ]
