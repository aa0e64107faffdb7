"""manage.py import_items TENANT FILE"""

from saas.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import items from a CSV, TSV, JSON lines or Parquet file."
    kind = "items"
