"""The demo page at `/`."""

from django.urls import URLPattern

urls: list[URLPattern] = []
