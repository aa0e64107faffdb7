"""The words of the portal, in both languages. allauth's own pages bring their translations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from saas.errors import Problem
from saas.portal import languages
from saas.portal.words import canned, inbox, members, metrics

TEXT: dict[str, dict[str, Any]] = {
    "en": {
        "inbox": inbox.TEXT["en"],
        "canned": canned.TEXT["en"],
        "members": members.TEXT["en"],
        "product": "Frontdesk",
        "skip": "Skip to the content",
        "menu": "Navigation",
        "language": "Language",
        "theme": "Look",
        "themes": {"auto": "As the device", "light": "Light", "dark": "Dark"},
        "sign_out": "Sign out",
        "security": "Second factor",
        "password": "Password",
        "places": "Your businesses",
        "no_places": "You belong to no business yet. Ask for an invitation at the one you work for.",
        "navigation": {
            "home": "Overview",
            "inbox": "Inbox",
            "metrics": "Figures",
            "canned": "Canned replies",
            "widget": "Widget",
            "members": "Members",
        },
        "roles": {
            "owner": "Owner",
            "admin": "Administrator",
            "agent": "Agent",
            "analyst": "Analyst",
        },
        "home": {"hello": "Hello", "where": "Where would you like to go?"},
        "account": {
            "not_invited": "The invitation is for another address. Use the one it was sent to.",
            "invitation": "You are invited",
            "for": "The invitation is for",
            "join": "Join",
            "sign_in": "Sign in",
            "sign_up": "Create an account",
            "no_account": "Accounts are by invitation only.",
            "forgot": "Forgot your password?",
        },
        "notices": {
            "not_found": {
                "title": "There is no such page",
                "text": "The address is wrong, or you do not belong to that business.",
            },
            "forbidden": {
                "title": "Your role does not allow this",
                "text": "Ask an owner of your business.",
            },
            "forged": {
                "title": "This form has expired",
                "text": "Open the page again and send it once more. Cookies must be allowed.",
            },
            "no_invitation": {
                "title": "This invitation is not valid any more",
                "text": "Ask for a new one.",
            },
            "other_invitation": {
                "title": "This invitation is for somebody else",
                "text": "Sign in with the address that it was sent to.",
            },
            "closed_sign_up": {
                "title": "Accounts are by invitation only",
                "text": "Ask an owner of your business for an invitation.",
            },
        },
        "metrics": metrics.TEXT["en"],
        "back": "Back",
        "problems": {
            "not_yours": "A colleague answers this conversation. Take it, or have it assigned to you.",
            "wrong_state": "The conversation has moved on meanwhile. Look at it again.",
            "ended": "This hand-off has ended. The customer's next request makes a new one.",
            "no_target": "That conversation has ended meanwhile. Choose another.",
            "two_people": "Only conversations of the same known customer can be merged.",
            "same": "Choose another conversation to merge into.",
            "past": "Choose a time to come.",
            "too_many_tags": "These are too many tags. Leave some out.",
            "invalid": "Something is missing or too long: a reply has at most 4,000 characters.",
            "rate_limited": "Too many attempts. Wait a moment.",
            "not_allowed": "Your role does not allow this. Ask an owner of your business.",
            "last_owner": "The last owner cannot leave. Make somebody else an owner first.",
            "is_member": "This person is a member already.",
            "address": "This is no e-mail address.",
            "no_model": "No language model takes part here, so nothing can be translated.",
            "suspect_text": "The text reads like orders to a language model, so none is given it.",
            "budget_spent": "This month's budget for language models is spent.",
            "no_translation": "The language model does not answer. Try again in a minute.",
            "mistranslated": "What came back was no translation. Nothing was changed.",
        },
        "problem": "That did not work: {detail}",
    },
    "zh": {
        "inbox": inbox.TEXT["zh"],
        "canned": canned.TEXT["zh"],
        "members": members.TEXT["zh"],
        "product": "Frontdesk",
        "skip": "跳到正文",
        "menu": "导航",
        "language": "语言",
        "theme": "外观",
        "themes": {"auto": "跟随设备", "light": "浅色", "dark": "深色"},
        "sign_out": "退出登录",
        "security": "两步验证",
        "password": "密码",
        "places": "您的企业",
        "no_places": "您还不属于任何企业。请向所在企业索取邀请。",
        "navigation": {
            "home": "概览",
            "inbox": "收件箱",
            "metrics": "指标",
            "canned": "快捷回复",
            "widget": "聊天窗口",
            "members": "成员",
        },
        "roles": {"owner": "所有者", "admin": "管理员", "agent": "客服", "analyst": "分析员"},
        "home": {"hello": "您好", "where": "您想去哪里？"},
        "account": {
            "not_invited": "邀请是发给另一个邮箱的，请使用收到邀请的邮箱。",
            "invitation": "您收到了邀请",
            "for": "邀请对象",
            "join": "加入",
            "sign_in": "登录",
            "sign_up": "创建账号",
            "no_account": "仅限受邀者创建账号。",
            "forgot": "忘记密码？",
        },
        "notices": {
            "not_found": {"title": "没有这个页面", "text": "地址有误，或者您不属于该企业。"},
            "forbidden": {"title": "您的角色无权进行此操作", "text": "请联系企业的所有者。"},
            "forged": {
                "title": "表单已过期",
                "text": "请重新打开页面再提交一次，并允许使用 Cookie。",
            },
            "no_invitation": {"title": "邀请已失效", "text": "请索取新的邀请。"},
            "other_invitation": {
                "title": "这份邀请是给别人的",
                "text": "请使用收到邀请的邮箱登录。",
            },
            "closed_sign_up": {
                "title": "仅限受邀者创建账号",
                "text": "请向企业的所有者索取邀请。",
            },
        },
        "metrics": metrics.TEXT["zh"],
        "back": "返回",
        "problems": {
            "not_yours": "该会话由同事接待。请先接待，或请对方指派给您。",
            "wrong_state": "会话状态已变化，请重新查看。",
            "ended": "这次转接已结束，客户再次请求时会产生新的转接。",
            "no_target": "该会话已结束，请选择其他会话。",
            "two_people": "只能合并同一位已知客户的会话。",
            "same": "请选择另一个会话进行合并。",
            "past": "请选择将来的时间。",
            "too_many_tags": "标签太多，请删减。",
            "invalid": "内容缺失或过长：回复最多 4000 个字符。",
            "rate_limited": "操作过于频繁，请稍候。",
            "not_allowed": "您的角色无权进行此操作，请联系企业的所有者。",
            "last_owner": "最后一位所有者不能离开，请先让其他人成为所有者。",
            "is_member": "此人已是成员。",
            "address": "这不是邮箱地址。",
            "no_model": "此处未启用语言模型，无法翻译。",
            "suspect_text": "这段文字像是给语言模型的指令，因此不会交给它。",
            "budget_spent": "本月的语言模型预算已用完。",
            "no_translation": "语言模型没有响应，请一分钟后再试。",
            "mistranslated": "返回的内容不是译文，未作任何更改。",
        },
        "problem": "操作未成功：{detail}",
    },
}


def of(request: HttpRequest) -> dict[str, Any]:
    return TEXT[languages.of(request)]


def problem(error: Problem, language: str) -> str:
    """What is wrong, in words for a member."""
    said = TEXT[language]
    known: str = said["problems"].get(str(error.get_codes()), "")
    return known or str(said["problem"].format(detail=error.detail))
