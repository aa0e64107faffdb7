"""All addresses. `/v1` is the billed API."""

from django.urls import URLPattern, URLResolver, include, path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from saas import health, keys, uploads
from saas.billing import api as billing
from saas.chat.api import (
    actions,
    completions,
    composition,
    conversations,
    desk,
    documents,
    faq,
    feedback,
    inbox,
    knowledge,
    messages,
    openai,
    replies,
    safety,
    streaming,
    suspects,
)
from saas.demo import views as demo
from saas.labelling.api import findings, jobs, labels, proposals, turns
from saas.portal import urls as portal
from saas.recommend.api import (
    customers,
    events,
    experiments,
    given,
    items,
    recommendations,
    rules,
)
from saas.training.api import challenges, corrections, examples, reports, runs, versions, watching
from saas.webhooks.api import deliveries, webhooks
from saas.widget.api import conversation, session, talk, widgets


class IdentifierConverter:
    """A tenant's own id of something: any characters but control characters, as rows.Identifier."""

    regex = r"[^\x00-\x1f\x7f]{1,128}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdentifierConverter, "identifier")

v1: list[URLPattern | URLResolver] = [
    # What is called most stands first: an address is looked for from here on.
    path("recommendations", recommendations.Recommendations.as_view()),
    path("events", events.Events.as_view()),
    path("chat/messages", messages.Messages.as_view()),
    path("chat/messages/<uuid:id>/events", streaming.MessageEvents.as_view()),
    path("chat/completions", completions.Completions.as_view()),
    path("models", openai.Models.as_view()),
    path("models/frontdesk", openai.OneModel.as_view()),
    path("messages/<uuid:id>/correction", messages.CorrectMessage.as_view()),
    path("messages/<uuid:id>/feedback", feedback.MessageFeedback.as_view()),
    path("feedback", feedback.AllFeedback.as_view()),
    path("outcomes", feedback.AllOutcomes.as_view()),
    path("conversations", conversations.Conversations.as_view()),
    path("conversations/<uuid:id>", conversations.OneConversation.as_view()),
    path("conversations/<uuid:id>/hand-off", conversations.HandOffConversation.as_view()),
    path("conversations/<uuid:id>/rating", feedback.RateConversation.as_view()),
    path("conversations/<uuid:id>/close", conversations.CloseConversation.as_view()),
    path("inbox", inbox.Inbox.as_view()),
    path("inbox/policy", inbox.OnePolicy.as_view()),
    path("inbox/<uuid:id>", inbox.OneHandOff.as_view()),
    path("inbox/<uuid:id>/take", inbox.TakeHandOff.as_view()),
    path("inbox/<uuid:id>/messages", inbox.SayInHandOff.as_view()),
    path("inbox/<uuid:id>/release", inbox.ReleaseHandOff.as_view()),
    path("inbox/<uuid:id>/hand-back", inbox.HandBack.as_view()),
    path("inbox/<uuid:id>/close", inbox.CloseHandOff.as_view()),
    path("inbox/<uuid:id>/assign", desk.AssignHandOff.as_view()),
    path("inbox/<uuid:id>/snooze", desk.SnoozeHandOff.as_view()),
    path("inbox/<uuid:id>/merge", desk.MergeHandOff.as_view()),
    path("inbox/<uuid:id>/tags", desk.HandOffTags.as_view()),
    path("inbox/<uuid:id>/notes", desk.HandOffNotes.as_view()),
    path("inbox/canned", desk.CannedReplies.as_view()),
    path("inbox/canned/<uuid:id>", desk.OneCannedReply.as_view()),
    path("knowledge", knowledge.Knowledge.as_view()),
    path("knowledge/<uuid:id>", knowledge.OnePassage.as_view()),
    path("knowledge/proposals", faq.FaqProposals.as_view()),
    path("knowledge/proposals/<uuid:id>/accept", faq.AcceptFaqProposal.as_view()),
    path("knowledge/proposals/<uuid:id>/dismiss", faq.DismissFaqProposal.as_view()),
    path("knowledge/suspects", suspects.Suspects.as_view()),
    path("knowledge/suspects/<uuid:id>/release", suspects.ReleaseSuspect.as_view()),
    path("knowledge/suspects/<uuid:id>/hold", suspects.HoldSuspect.as_view()),
    path("documents", documents.Documents.as_view()),
    path("pages", documents.Pages.as_view()),
    path("documents/<uuid:id>", documents.OneDocument.as_view()),
    path("safety/policy", safety.Policy.as_view()),
    path("refusals", safety.Refusals.as_view()),
    path("composition", composition.Composition.as_view()),
    path("composition/prompts", composition.Prompts.as_view()),
    path("replies", replies.Replies.as_view()),
    path("replies/<uuid:id>", replies.OneReply.as_view()),
    path("actions", actions.Actions.as_view()),
    path("actions/<identifier:id>/rotate", actions.RotateAction.as_view()),
    path("actions/<identifier:id>", actions.OneAction.as_view()),
    path("examples", examples.Examples.as_view()),
    path("examples/<uuid:id>", examples.OneExample.as_view()),
    path("items", items.Items.as_view()),
    path("items/<identifier:id>", items.OneItem.as_view()),
    path("events/<uuid:id>", events.OneEvent.as_view()),
    path("customers", customers.Customers.as_view()),
    path("customers/<identifier:id>/merge", customers.MergeCustomer.as_view()),
    path("customers/<identifier:id>/export", customers.ExportCustomer.as_view()),
    path("customers/<identifier:id>", customers.OneCustomer.as_view()),
    path("recommendation-rules", rules.Rules.as_view()),
    path("recommendation-rules/<uuid:id>", rules.OneRule.as_view()),
    path("recommendations/report", given.OnlineReport.as_view()),
    path("recommendations/<uuid:id>", given.OneRecommendation.as_view()),
    path("experiments", experiments.Experiments.as_view()),
    path("experiments/<uuid:id>", experiments.OneExperiment.as_view()),
    path("experiments/<uuid:id>/end", experiments.EndExperiment.as_view()),
    path("imports", uploads.Imports.as_view()),
    path("corrections", corrections.Corrections.as_view()),
    path("corrections/<uuid:id>", corrections.OneCorrection.as_view()),
    path("challenges", challenges.Challenges.as_view()),
    path("challenges/<uuid:id>", challenges.OneChallenge.as_view()),
    path("challenges/<uuid:id>/end", challenges.EndChallenge.as_view()),
    path("challenges/<uuid:id>/promote", challenges.PromoteChallenge.as_view()),
    path("alarms", watching.Alarms.as_view()),
    path("alarms/<uuid:id>/acknowledge", watching.AcknowledgeAlarm.as_view()),
    path("training/schedule", watching.OneSchedule.as_view()),
    path("training/runs", runs.Runs.as_view()),
    path("training/runs/<uuid:id>", runs.OneRun.as_view()),
    path("training/runs/<uuid:id>/log", runs.RunLog.as_view()),
    path("training/runs/<uuid:id>/cancel", runs.CancelRun.as_view()),
    path("versions", versions.Versions.as_view()),
    path("versions/<uuid:id>", versions.OneVersion.as_view()),
    path("versions/rollback", versions.RollBack.as_view()),
    path("versions/<uuid:id>/activate", versions.ActivateVersion.as_view()),
    path("versions/<uuid:id>/report", reports.OneReport.as_view()),
    path("explanations", reports.Explanations.as_view()),
    path("labelling/turns", turns.Turns.as_view()),
    path("labelling/turns/<uuid:id>", turns.OneTurn.as_view()),
    path("labelling/jobs", jobs.Jobs.as_view()),
    path("labelling/proposals", proposals.Proposals.as_view()),
    path("labelling/proposals/<uuid:id>", proposals.OneProposal.as_view()),
    path("labelling/proposals/<uuid:id>/turns", proposals.ProposalTurns.as_view()),
    path("labelling/queue", labels.Queue.as_view()),
    path("labelling/labels", labels.Labels.as_view()),
    path("labelling/agreement", labels.OneAgreement.as_view()),
    path("labelling/disagreements", labels.Disagreements.as_view()),
    path("labelling/findings", findings.Findings.as_view()),
    path("labelling/findings/<uuid:id>", findings.OneFinding.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<uuid:id>", webhooks.OneWebhook.as_view()),
    path("webhooks/<uuid:id>/rotate", webhooks.RotateWebhook.as_view()),
    path("webhooks/<uuid:id>/test", deliveries.TestWebhook.as_view()),
    path("webhooks/<uuid:id>/replay", deliveries.ReplayWebhook.as_view()),
    path("webhooks/<uuid:id>/deliveries", deliveries.Deliveries.as_view()),
    path(
        "webhooks/<uuid:id>/deliveries/<uuid:delivery>/replay",
        deliveries.ReplayDelivery.as_view(),
    ),
    path("widgets", widgets.Widgets.as_view()),
    path("widgets/<uuid:id>", widgets.OneWidget.as_view()),
    path("widgets/<uuid:id>/secret", widgets.WidgetSecret.as_view()),
    path("usage", billing.Usage.as_view()),
    path("bill", billing.Bill.as_view()),
    path("keys", keys.Keys.as_view()),
    path("keys/<uuid:id>", keys.OneKey.as_view()),
    path("keys/<uuid:id>/rotate", keys.RotateKey.as_view()),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
]

# What pages of other sites call, with a publishable key or a visitor's token (docs/widget.md).
widget: list[URLPattern | URLResolver] = [
    path("session", session.Session.as_view()),
    path("messages", talk.Messages.as_view()),
    path("messages/<uuid:id>/events", talk.MessageEvents.as_view()),
    path("messages/<uuid:id>/feedback", conversation.Judge.as_view()),
    path("hand-off", conversation.HandOff.as_view()),
    path("files", talk.Files.as_view()),
    path("files/<str:token>", talk.file),
    path("live", talk.Live.as_view()),
    path("data", talk.Data.as_view()),
    path("conversations", conversation.Conversations.as_view()),
    path("conversations/<uuid:id>", conversation.OneConversation.as_view()),
    path("conversations/<uuid:id>/close", conversation.Close.as_view()),
    path("conversations/<uuid:id>/typing", conversation.Typing.as_view()),
    path("conversations/<uuid:id>/rating", conversation.Rate.as_view()),
    path("conversations/<uuid:id>/transcript", conversation.Transcript.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(v1)),
    path("widget/", include(widget)),
    path("docs", SpectacularSwaggerView.as_view(url_name="openapi")),
    path("healthz", health.alive),
    path("readyz", health.ready),
    *portal.urlpatterns,
    *demo.urls,
]

handler400 = "saas.errors.bad_request"
handler404 = "saas.portal.frame.not_found"
handler500 = "saas.errors.server_error"
