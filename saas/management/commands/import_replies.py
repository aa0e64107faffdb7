"""manage.py import_replies TENANT FILE"""

from saas.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import replies from a CSV, TSV, JSON lines or Parquet file."
    kind = "replies"
