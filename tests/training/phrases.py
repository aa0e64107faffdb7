"""A handful of examples that any model should tell apart."""

INTENTS = {
    "order_status": (
        "Where is my parcel?",
        "Has my order been shipped yet?",
        "When will my package arrive?",
        "Track my delivery please",
        "我的快递到哪了",
        "订单什么时候发货",
    ),
    "refund": (
        "I want my money back",
        "How do I get a refund?",
        "Please refund my purchase",
        "When is the refund paid out?",
        "我要退款",
        "退款什么时候到账",
    ),
    "password": (
        "I forgot my password",
        "How can I reset my password?",
        "My login password does not work",
        "Change the password of my account",
        "忘记密码怎么办",
        "怎么修改登录密码",
    ),
    "opening_hours": (
        "When do you open?",
        "What are your opening hours?",
        "Are you open on Sundays?",
        "How late is the shop open today?",
        "你们几点开门",
        "周末营业吗",
    ),
}


def rows() -> list[dict[str, str]]:
    return [{"text": text, "intent": intent} for intent, texts in INTENTS.items() for text in texts]


def mixed_up() -> list[dict[str, str]]:
    """The same texts with intents that mean nothing."""
    names = sorted(INTENTS)
    return [{**row, "intent": names[place % len(names)]} for place, row in enumerate(rows())]
