"""Django's PostgreSQL, whose sessions are checked without asking the server."""
