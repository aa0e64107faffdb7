from decimal import Decimal

from django.db import migrations

# code: (name, monthly fee, {kind: (included, price of each further unit, hard limit)})
PLANS = {
    "free": (
        "Free",
        "0",
        {
            "chat_message": (1_000, "0", 1_000),
            "recommendation": (5_000, "0", 5_000),
            "training_run": (20, "0", 20),
        },
    ),
    "growth": (
        "Growth",
        "49.00",
        {
            "chat_message": (10_000, "0.004", 1_000_000),
            "recommendation": (50_000, "0.0008", 10_000_000),
            "training_run": (100, "0.25", 2_000),
        },
    ),
    "payg": (
        "Pay as you go",
        "0",
        {
            "chat_message": (0, "0.006", 10_000_000),
            "recommendation": (0, "0.001", 100_000_000),
            "training_run": (0, "0.40", 10_000),
        },
    ),
}


def publish(apps, schema_editor):
    alias = schema_editor.connection.alias
    plans = apps.get_model("billing", "Plan").objects.using(alias)
    prices = apps.get_model("billing", "Price").objects.using(alias)
    for code, (name, fee, lines) in PLANS.items():
        plan = plans.create(code=code, name=name, currency="USD", monthly_fee=Decimal(fee))
        for kind, (included, unit_price, limit) in lines.items():
            prices.create(
                plan=plan,
                kind=kind,
                included=included,
                unit_price=Decimal(unit_price),
                limit=limit,
            )


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_row_security")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
