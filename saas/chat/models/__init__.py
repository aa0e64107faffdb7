"""All tables of this slice."""

from saas.chat.models.attachments import Attachment
from saas.chat.models.composition import CompositionPolicy, Prompt, Spending
from saas.chat.models.conversations import Conversation, Feedback, Message, Rating, Refusal
from saas.chat.models.desk import Canned, Note, Tag
from saas.chat.models.handoffs import HandOff, HandOffPolicy
from saas.chat.models.knowledge import Applicable, Document, FaqProposal, Passage, Reply
from saas.chat.models.rules import Action, SafetyPolicy
from saas.chat.models.widgets import Widget

__all__ = [
    "Action",
    "Applicable",
    "Attachment",
    "Canned",
    "CompositionPolicy",
    "Conversation",
    "Document",
    "FaqProposal",
    "Feedback",
    "HandOff",
    "HandOffPolicy",
    "Message",
    "Note",
    "Passage",
    "Prompt",
    "Rating",
    "Refusal",
    "Reply",
    "SafetyPolicy",
    "Spending",
    "Tag",
    "Widget",
]
