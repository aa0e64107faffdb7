"""The portal's addresses: accounts for everybody, everything else below a tenant's slug."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from saas.portal import (
    aside,
    canned,
    desk,
    files,
    follow,
    home,
    inbox,
    metrics,
    own_name,
    team,
    translations,
    widgets,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/look/", home.look, name="portal_look"),
    path("account/invitation/<str:token>/", home.invitation, name="portal_invitation"),
    path("account/", include("allauth.urls")),
    path("t/", home.places, name="portal_places"),
    path("t/<slug:tenant>/", home.home, name="portal_home"),
    path("t/<slug:tenant>/metrics/", metrics.page, name="portal_metrics"),
    path("t/<slug:tenant>/inbox/", inbox.whole, name="portal_inbox"),
    path("t/<slug:tenant>/inbox/list/", inbox.listed, name="portal_list"),
    path("t/<slug:tenant>/inbox/events/", follow.events, name="portal_events"),
    path("t/<slug:tenant>/inbox/canned/", canned.replies, name="portal_canned"),
    path("t/<slug:tenant>/inbox/canned/<uuid:id>/remove/", canned.remove, name="portal_uncan"),
    path("t/<slug:tenant>/inbox/files/<uuid:id>/", files.file, name="portal_file"),
    path("t/<slug:tenant>/inbox/<uuid:id>/", inbox.whole, name="portal_conversation"),
    path("t/<slug:tenant>/inbox/<uuid:id>/pane/", inbox.pane, name="portal_pane"),
    path("t/<slug:tenant>/inbox/<uuid:id>/thread/", inbox.thread, name="portal_thread"),
    path("t/<slug:tenant>/inbox/<uuid:id>/suggestions/", aside.suggestions, name="portal_suggest"),
    path("t/<slug:tenant>/inbox/<uuid:id>/items/", aside.items, name="portal_items"),
    path("t/<slug:tenant>/inbox/<uuid:id>/look-up/", aside.look_up, name="portal_look_up"),
    path(
        "t/<slug:tenant>/inbox/<uuid:id>/translate/", translations.message, name="portal_translate"
    ),
    path(
        "t/<slug:tenant>/inbox/<uuid:id>/translate-reply/",
        translations.reply,
        name="portal_translate_reply",
    ),
    path("t/<slug:tenant>/inbox/<uuid:id>/present/", desk.present, name="portal_present"),
    path("t/<slug:tenant>/inbox/<uuid:id>/teach/", desk.teach, name="portal_teach"),
    path("t/<slug:tenant>/inbox/<uuid:id>/<slug:act>/", desk.act, name="portal_act"),
    path("t/<slug:tenant>/name/", own_name.page, name="portal_name"),
    path("t/<slug:tenant>/members/", team.whole, name="portal_members"),
    path("t/<slug:tenant>/members/<int:id>/role/", team.change, name="portal_role"),
    path("t/<slug:tenant>/members/<int:id>/remove/", team.remove, name="portal_dismiss"),
    path("t/<slug:tenant>/members/<uuid:id>/again/", team.again, name="portal_invite_again"),
    path("t/<slug:tenant>/members/<uuid:id>/revoke/", team.revoke, name="portal_revoke"),
    path("t/<slug:tenant>/widget/", widgets.listed, name="portal_widgets"),
    path("t/<slug:tenant>/widget/<uuid:id>/", widgets.one, name="portal_widget"),
]
