"""The words of the demo page, in both languages."""

from __future__ import annotations

from typing import Any

from saas.demo.visitors import PERSONAS

TEXT: dict[str, dict[str, Any]] = {
    "en": {
        "language": "Language",
        "tagline": "Demo shop",
        "skip": "Skip to the shelf",
        "who": "You are",
        "usage": "Used this month",
        "units": {
            "chat_message": "Chat messages",
            "recommendation": "Recommendations",
            "training_run": "Training runs",
        },
        "bill": "Bill so far",
        "chat": "Ask the shop",
        "chat_note": "English or Chinese",
        "log": "Conversation",
        "you": "You",
        "bot": "Frontdesk",
        "greeting": "Hello! Ask me about orders, delivery, returns, or how to look after what you bought.",
        "question": "Your question",
        "send": "Ask",
        "waiting": "One moment …",
        "suggestions": "For example",
        "suggested": [
            "Where is order 10023?",
            "How do I wash the merino base layer?",
            "Do you have headphones under $100?",
            "Who won the football match last night?",
        ],
        "kinds": {
            "reply": "Approved reply",
            "passage": "From the knowledge base",
            "composed": "Composed from the knowledge base",
            "items": "From the catalog",
            "action": "Live data",
            "ask": "Asks for what it needs",
            "clarify": "Asks which is meant",
            "talk": "Small talk",
            "fallback": "Not sure",
            "refusal": "Not answered",
            "handoff": "A colleague takes over",
            "agent": "A colleague",
        },
        "intent": "intent",
        "nearest": "nearest intent",
        "understood": "Understood as",
        "confidence": "confidence",
        "source": "Source",
        "similarity": "similarity",
        "shelf": "Recommended for you",
        "shelf_note": "Click anything: the next shelf already knows it.",
        "looking": "You are looking at",
        "trail": "Looked at lately",
        "empty_shelf": "There is nothing on the shelf yet.",
        "offline": "The shop does not answer. Check the connection and try again.",
        "footer": "Every answer and every shelf on this page is a metered call of the product.",
        "docs": "Try the API",
        "inbox": "For the shop's agents",
        "notices": {
            "no_shop": {
                "title": "There is no demo shop here yet",
                "text": "Fill it with the demo data, then reload this page. On the machine that runs "
                "this server, type:",
                "command": "make demo",
            },
            "other_site": {
                "title": "This did not come from this page",
                "text": "The form was sent from another site, so nothing was done. "
                "Open the demo shop itself and ask there.",
                "link": "Open the demo shop",
            },
            "unavailable": {
                "title": "The shop is closed for a moment",
                "text": "The database does not answer. Try again in a few seconds.",
                "link": "Try again",
            },
        },
        "problems": {
            "empty": "Please type a question first.",
            "too_long": "That is a long one. Please keep it within 2,000 characters.",
            "unreadable": "The question holds characters that cannot be stored. Please type it again.",
            "no_item": "This item is not in the shop any more. Please choose another.",
            "quota_exceeded": "The shop has used up what its plan allows this month. "
            "It goes on next month, or on a larger plan.",
            "busy": "Many people are asking just now. Please try again in a second.",
            "unavailable": "The shop cannot answer just now. Please try again in a moment.",
        },
    },
    "zh": {
        "language": "语言",
        "tagline": "演示商店",
        "skip": "跳到推荐货架",
        "who": "您的身份",
        "usage": "本月用量",
        "units": {
            "chat_message": "对话消息",
            "recommendation": "推荐次数",
            "training_run": "训练次数",
        },
        "bill": "当前账单",
        "chat": "咨询客服",
        "chat_note": "中文、英文都可以",
        "log": "对话",
        "you": "您",
        "bot": "Frontdesk",
        "greeting": "您好！订单、物流、退换货，或者商品怎么用、怎么保养，都可以问我。",
        "question": "您的问题",
        "send": "提问",
        "waiting": "请稍候……",
        "suggestions": "试试这样问",
        "suggested": [
            "我想退货，怎么操作？",
            "订单10023到哪了？",
            "有没有100以下的耳机？",
            "昨晚的球赛谁赢了？",
        ],
        "kinds": {
            "reply": "标准回复",
            "passage": "来自知识库",
            "composed": "根据知识库生成",
            "items": "来自商品目录",
            "action": "实时数据",
            "ask": "补充信息",
            "clarify": "确认意图",
            "talk": "寒暄",
            "fallback": "没有把握",
            "refusal": "不予回答",
            "handoff": "转接人工",
            "agent": "人工客服",
        },
        "intent": "意图",
        "nearest": "最接近的意图",
        "understood": "理解为",
        "confidence": "置信度",
        "source": "出处",
        "similarity": "相似度",
        "shelf": "为您推荐",
        "shelf_note": "点开任意一件，货架马上就会跟着变。",
        "looking": "您正在看",
        "trail": "最近看过",
        "empty_shelf": "货架上还没有商品。",
        "offline": "商店没有响应，请检查网络后再试。",
        "footer": "本页的每一次回答、每一排推荐，都是一次计费的产品调用。",
        "docs": "试用 API",
        "inbox": "客服人员入口",
        "notices": {
            "no_shop": {
                "title": "这里还没有演示商店",
                "text": "请先导入演示数据，再刷新本页。在运行本服务的机器上执行：",
                "command": "make demo",
            },
            "other_site": {
                "title": "这个请求不是从本页发出的",
                "text": "表单来自其他网站，因此没有执行任何操作。请打开演示商店，在页面上提问。",
                "link": "打开演示商店",
            },
            "unavailable": {
                "title": "商店暂时无法访问",
                "text": "数据库没有响应，请几秒钟后再试。",
                "link": "再试一次",
            },
        },
        "problems": {
            "empty": "请先输入您的问题。",
            "too_long": "问题太长了，请控制在 2000 字以内。",
            "unreadable": "问题中有无法保存的字符，请重新输入。",
            "no_item": "这件商品已经下架了，请看看别的。",
            "quota_exceeded": "本店本月的套餐额度已用完，下个月恢复，或升级套餐后继续。",
            "busy": "现在咨询的人比较多，请稍等一秒再试。",
            "unavailable": "商店暂时无法回答，请稍后再试。",
        },
    },
}

CATEGORIES = {
    "outdoor": {"en": "Outdoor", "zh": "户外"},
    "kitchen": {"en": "Kitchen", "zh": "厨房"},
    "beauty": {"en": "Beauty", "zh": "美妆"},
    "electronics": {"en": "Electronics", "zh": "电子"},
    "clothing": {"en": "Clothing", "zh": "服饰"},
    "kids": {"en": "Kids", "zh": "母婴童"},
    "stationery": {"en": "Stationery", "zh": "文具"},
    "tea": {"en": "Tea & coffee", "zh": "茶与咖啡"},
}

# In the order of visitors.PERSONAS: a name, and what the person is like in saas/demo/events.py.
PEOPLE = {
    "en": (
        ("New visitor", "not known yet"),
        ("C0007", "cycles and bakes"),
        ("C0041", "journals, tidy desk"),
    ),
    "zh": (
        ("新访客", "还没有记录"),
        ("C0007", "爱骑行，爱烘焙"),
        ("C0041", "写手账，爱整洁"),
    ),
}


def category(name: str, language: str) -> str:
    """The name of a category of the demo shop; another one's stays as it is."""
    return CATEGORIES.get(name, {}).get(language, name)


def personas(language: str) -> list[tuple[str, str, str]]:
    """Of each persona: its id, name and character."""
    return [(id_, *person) for id_, person in zip(PERSONAS, PEOPLE[language], strict=True)]


def problem(code: str, language: str) -> str:
    """What a stable error code means to a person."""
    problems: dict[str, str] = TEXT[language]["problems"]
    return problems.get(code, problems["unavailable"])
