"""manage.py import_knowledge TENANT FILE"""

from saas.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import knowledge from a CSV, TSV, JSON lines or Parquet file."
    kind = "knowledge"
