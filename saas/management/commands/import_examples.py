"""manage.py import_examples TENANT FILE"""

from saas.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import examples from a CSV, TSV, JSON lines or Parquet file."
    kind = "examples"
