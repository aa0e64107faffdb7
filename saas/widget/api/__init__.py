"""The widget's public endpoints."""
