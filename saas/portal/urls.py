"""The portal's addresses: accounts for everybody, everything else below a tenant's slug."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from saas.portal import home, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/look/", home.look, name="portal_look"),
    path("account/invitation/<str:token>/", home.invitation, name="portal_invitation"),
    path("account/", include("allauth.urls")),
    path("t/", home.places, name="portal_places"),
    path("t/<slug:tenant>/", home.home, name="portal_home"),
    path("t/<slug:tenant>/metrics/", metrics.page, name="portal_metrics"),
]
