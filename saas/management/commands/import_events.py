"""manage.py import_events TENANT FILE"""

from saas.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import events from a CSV, TSV, JSON lines or Parquet file."
    kind = "events"
