"""What the server says to visitors: refusals by their code, in words that tell what to do."""

from __future__ import annotations

from typing import Any

BROKEN = {
    "en": "Something went wrong on our side. Please try again in a moment.",
    "zh": "我们这边出了点问题，请稍后再试。",
}
REFUSALS: dict[str, dict[str, str]] = {
    "too_many_messages": {
        "en": "You are writing faster than we can answer. Please wait {wait} seconds.",
        "zh": "您发送得太快了，请等待 {wait} 秒后再试。",
    },
    "rate_limited": {
        "en": "There is a lot going on right now. Please try again in {wait} seconds.",
        "zh": "目前咨询较多，请 {wait} 秒后再试。",
    },
    "daily_budget": {
        "en": "The assistant has answered all it can today. Please ask for a person, or come back tomorrow.",
        "zh": "智能客服今天的回答次数已用完，请转人工客服，或明天再来。",
    },
    "quota_exceeded": {
        "en": "The assistant cannot answer right now. Please ask for a person.",
        "zh": "智能客服暂时无法回答，请转人工客服。",
    },
    "invalid": {
        "en": "That could not be read: please check it. Messages can have up to 2,000 characters.",
        "zh": "内容无法读取，请检查后再试。每条消息最多 2000 字。",
    },
    "body_too_large": {
        "en": "That is too large. Files can have up to 10 MB.",
        "zh": "内容过大，文件不能超过 10 MB。",
    },
    "unknown_format": {
        "en": "Files of this kind are not taken. Send a picture, a PDF or a text.",
        "zh": "不支持这种文件，请发送图片、PDF 或文本文件。",
    },
    "no_uploads": {
        "en": "Files cannot be sent here.",
        "zh": "此处不能发送文件。",
    },
    "no_email": {
        "en": "E-mail cannot be sent from here.",
        "zh": "此处不能发送邮件。",
    },
    "busy": {
        "en": "Many people are asking right now. Please try again in a few seconds.",
        "zh": "目前咨询较多，请几秒后再试。",
    },
    "authentication_failed": {
        "en": "This chat has been idle too long. Please reload the page.",
        "zh": "会话已过期，请刷新页面。",
    },
    "permission_denied": {
        "en": "This chat is not set up for this site.",
        "zh": "此网站未启用该聊天窗口。",
    },
    "wrong_state": {
        "en": "The conversation has changed meanwhile. Please write a message to go on.",
        "zh": "会话状态已变化，请发送新消息继续。",
    },
    "not_found": {
        "en": "This conversation is not there any more.",
        "zh": "该会话已不存在。",
    },
}
FILE_SENT = {
    "en": "Thank you, the file is here. I cannot look into files: shall I hand you over to a colleague?",
    "zh": "文件已收到。我无法查看文件内容，需要我为您转接人工客服吗？",
}


def refusal(code: str, language: str, wait: Any) -> str:
    return REFUSALS.get(code, BROKEN)[language].format(wait=wait or "60")
