"""What was said, as a text to be read or sent by e-mail."""

from __future__ import annotations

from uuid import UUID

from django.core.mail import EmailMessage
from django.utils import timezone

from saas import workers
from saas.chat import agents, conversations
from saas.chat.models import Conversation, Message
from tenants.models import Tenant
from tenants.scope import current_tenant_id

MOST = 500  # the newest messages
WORDS = {
    "en": {
        "subject": "Your conversation with {name}",
        "customer": "You",
        "bot": "Assistant",
        "agent": "{agent} ({name})",
        "end": "You get this e-mail because it was asked for in the chat on {day} (UTC).",
    },
    "zh": {
        "subject": "您与{name}的对话记录",
        "customer": "您",
        "bot": "智能客服",
        "agent": "{agent}（{name}）",
        "end": "这封邮件应聊天窗口中的请求于 {day}（UTC）发送。",
    },
}


def queue(conversation_id: UUID, address: str) -> None:
    """Send it in the background, once this transaction is committed."""
    from saas.chat.tasks import send_transcript

    workers.queue(send_transcript, str(current_tenant_id()), str(conversation_id), address)


def send(conversation_id: UUID, address: str) -> None:
    """Send it by e-mail, as plain text. Raises Conversation.DoesNotExist."""
    conversation = Conversation.objects.get(id=conversation_id)
    name = Tenant.objects.values_list("name", flat=True).get(id=current_tenant_id())
    words = WORDS[conversation.language]
    subject = " ".join(words["subject"].format(name=name).split())
    EmailMessage(subject, text(conversation, name=name), to=[address]).send()


def text(conversation: Conversation, *, name: str) -> str:
    words = WORDS[conversation.language]
    said = Message.objects.filter(conversation__in=conversations.parts(conversation.id))
    newest = list(said.order_by("-created_at")[:MOST])
    named = agents.names((message.agent for message in newest), conversation.language)
    lines = [
        f"{message.created_at:%Y-%m-%d %H:%M}  "
        f"{words[message.author].format(agent=named[message.agent], name=name)}:\n{message.text}"
        for message in reversed(newest)
    ]
    return "\n\n".join([*lines, words["end"].format(day=timezone.now().date())])
