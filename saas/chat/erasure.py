"""All that was said by a customer, and to them, deleted for good."""

from __future__ import annotations

from saas.billing import idempotency
from saas.chat import attachments, conversations
from saas.chat.models import Attachment
from saas.webhooks import events


def erase(customer: str) -> int:
    """Delete a customer's conversations, with all that hangs on them; how many there were.

    With them go the files, what is kept for webhooks, and answers kept for repeated calls. What was
    billed stays billed: usage names no customer.
    """
    found = list(conversations.of(customer).values_list("id", flat=True))
    sent = Attachment.objects.filter(message__conversation__in=found)
    digests = list(sent.values_list("digest", flat=True))
    names = [str(id_) for id_ in found]
    conversations.of(customer).delete()
    attachments.discard(digests)
    events.erase(names)
    idempotency.erase(names)
    return len(found)
