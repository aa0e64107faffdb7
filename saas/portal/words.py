"""The words of the portal, in both languages. allauth's own pages bring their translations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from saas.errors import Problem
from saas.portal import languages

TEXT: dict[str, dict[str, Any]] = {
    "en": {
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
        "back": "Back",
        "problems": {},
        "problem": "That did not work: {detail}",
    },
    "zh": {
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
        "back": "返回",
        "problems": {},
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
