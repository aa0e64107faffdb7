"""What is concluded from an experiment, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saas.recommend.verdicts import Verdict

WORDS = {
    "stop": {"en": "Stop: arm “{better}” is better.", "zh": "可以停止：“{better}”组更好。"},
    "keep_running": {
        "en": "Keep running: nothing is decided yet.",
        "zh": "继续实验：目前尚无定论。",
    },
    "needed": {
        "en": " A difference as large as the one seen takes about {needed:,} customers an arm; "
        "the smallest has {counted:,}.",
        "zh": "若差异确如目前所见，每组约需 {needed:,} 位顾客；人数最少的一组现有 {counted:,} 位。",
    },
    "mistrust": {
        "en": "Do not trust these figures: the arms have {customers} customers, which is not their "
        "shares. Look for answers that are lost in one arm, or a robot.",
        "zh": "请勿采信这些数据：各组顾客数为 {customers}，与设定比例不符。"
        "请检查是否有某组的结果丢失，或有机器人流量。",
    },
}


def said_of(verdict: Verdict, language: str) -> str:
    needed = max((entry.needed or 0 for entry in verdict.comparisons), default=0)
    said = WORDS[verdict.decision][language].format(
        better=verdict.better, customers=" / ".join(str(arm.customers) for arm in verdict.arms)
    )
    if verdict.decision == "keep_running" and needed:
        counted = min(arm.counted for arm in verdict.arms)
        said += WORDS["needed"][language].format(needed=needed, counted=counted)
    return said
