"""The words of the pages of members, and of the invitation that is sent by e-mail, in both languages."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, dict[str, Any]] = {
    "en": {
        "title": "Members",
        "you": "(you)",
        "role": "Role",
        "role_of": "Role of",
        "factor": "Second factor: ",
        "has": {"yes": "on", "no": "off"},
        "joined": "Joined: ",
        "save": "Change role",
        "remove": "Remove",
        "remove_sure": "Their conversations go back into the queue. Remove",
        "invite": "Invite somebody",
        "address": "E-mail address",
        "send": "Send invitation",
        "invitations": "Open invitations",
        "none": "Nobody is invited at the moment.",
        "until": "Valid until",
        "expired": "Expired on",
        "by": "Invited by",
        "again": "Send again",
        "revoke": "Revoke",
        "done": {
            "sent": "The invitation is on its way to {who}.",
            "not_sent": "The e-mail to {who} could not be sent. Hand this link over yourself: it is "
            "shown this once, and opens for that address alone.",
            "revoked": "The invitation of {who} is revoked.",
            "changed": "{who} has another role now.",
            "removed": "{who} is no member any more.",
        },
        "name": {
            "title": "Your name",
            "label": "The name that customers see",
            "help": "In the chat and in what is sent of it. Without a name they see “Our team”, and "
            "never your e-mail address, which colleagues see.",
            "save": "Save",
            "saved": "Saved.",
            "wrong": "A name has at most 60 characters, and is no address.",
        },
        "mail": {
            "subject": "{business} invites you to Frontdesk",
            "text": "{by} invites you to {business} on Frontdesk. Your role: {role}.\n\n"
            "Accept within {days} days, with this address:\n{link}\n\n"
            "If you do not know what this is about, you need not do anything.",
        },
    },
    "zh": {
        "title": "成员",
        "you": "（您）",
        "role": "角色",
        "role_of": "角色：",
        "factor": "两步验证：",
        "has": {"yes": "已启用", "no": "未启用"},
        "joined": "加入时间：",
        "save": "更改角色",
        "remove": "移除",
        "remove_sure": "其正在接待的会话将回到队列。确定移除",
        "invite": "邀请成员",
        "address": "邮箱地址",
        "send": "发送邀请",
        "invitations": "待接受的邀请",
        "none": "目前没有待接受的邀请。",
        "until": "有效期至",
        "expired": "已过期",
        "by": "邀请人",
        "again": "重新发送",
        "revoke": "撤销",
        "done": {
            "sent": "邀请邮件正发往 {who}。",
            "not_sent": "发往 {who} 的邮件未能送出。请自行转交此链接：它只显示这一次，且仅对该邮箱有效。",
            "revoked": "已撤销对 {who} 的邀请。",
            "changed": "{who} 的角色已更改。",
            "removed": "{who} 已不再是成员。",
        },
        "name": {
            "title": "您的称呼",
            "label": "客户看到的称呼",
            "help": "显示在聊天窗口和对话记录中。未填写时客户看到“客服”，"
            "绝不会看到您的邮箱地址；同事看到的是邮箱地址。",
            "save": "保存",
            "saved": "已保存。",
            "wrong": "称呼最多 60 个字符，且不能是邮箱地址。",
        },
        "mail": {
            "subject": "{business}邀请您加入 Frontdesk",
            "text": "{by} 邀请您加入 Frontdesk 上的{business}，角色：{role}。\n\n"
            "请在 {days} 天内用此邮箱接受邀请：\n{link}\n\n"
            "如果您不清楚这封邮件的来由，无需理会。",
        },
    },
}
