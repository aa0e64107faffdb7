"""The main job on data nobody here wrote, through the product's importers, Celery and HTTP."""

from __future__ import annotations

import csv
import io
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml.types import Example
from tests.bench import retail, sets, stack
from tests.bench.http import each

PASSES = 300

PROTOCOL = {
    "banking77_accuracy": "official test over HTTP chat; instant model on the train split",
    "banking77_live_ratio": "upload of train.csv to live version / encoding its texts once",
    "smp2017_accuracy": "official test over HTTP chat; trained on the train split only",
    "clinc150_oos_auroc": "scope score of the live artifact: test against oos_test; no oos training",
    "retail_ndcg10": "last 28 days are the test; next purchases over HTTP, full ranking, none removed",
    "retail_popularity_ndcg10": "the same customers; 10 best-selling items of the 28 days before",
    "chat_p50_ratio": "p50 of HTTP chat, one caller / median of one encoder pass, one process idle",
    "recommend_p50_ms": "p50 of HTTP recommendations of 10 items, one caller",
}


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    site = stack.start(running)
    shared = encoder()
    figures: dict[str, Any] = dict.fromkeys(PROTOCOL)
    bank = _banking77(site, shared, data / "banking77", figures, quick=quick)
    _smp2017(site, data / "smp2017", figures, quick=quick)
    _clinc150(site, shared, data / "clinc150", figures, quick=quick)
    figures.update(retail.measure(site, data / "online_retail", quick=quick))
    figures["chat_p50_ratio"] = _chat_ratio(bank, shared, data / "banking77" / "test.csv")
    notes = {"quick": "smaller training and test parts"} if quick else {}
    return figures, PROTOCOL | notes | {"encoder": shared.fingerprint}


def encoder() -> Any:
    from django.conf import settings

    from ml import weights
    from ml.encoder import Encoder

    folder = weights.locate(settings.ENCODER, cache=settings.ENCODER_CACHE)
    return Encoder.load(folder, threads=settings.THREADS)


def _as_csv(examples: list[Example]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["text", "intent"])
    writer.writerows((example.text, example.label) for example in examples)
    return text.getvalue().encode()


def _accuracy(tenant: stack.Tenant, examples: list[Example]) -> float:
    answers = each(
        f"{tenant.slug}: test",
        lambda example: tenant.call.post("chat/messages", {"text": example.text})["answer"][
            "intent"
        ],
        examples,
    )
    return statistics.fmean(
        got == example.label for got, example in zip(answers, examples, strict=True)
    )


def _banking77(
    site: Any, encoder: Any, folder: Path, figures: dict[str, Any], *, quick: bool
) -> stack.Tenant:
    train = folder / ("train_10.csv" if quick else "train.csv")
    texts = [row["text"] for row in sets.read_csv(train)]
    started = time.perf_counter()
    encoder.encode(texts)
    encoding = time.perf_counter() - started
    bank = stack.Tenant(site, "bank")
    started = time.perf_counter()
    result = bank.call.upload_file("examples", train)
    assert result["failed"] == 0, result
    bank.train("intent")
    figures["banking77_live_ratio"] = (time.perf_counter() - started) / encoding
    test = sets.banking77(folder).test
    figures["banking77_accuracy"] = _accuracy(bank, test[:: 6 if quick else 1])
    return bank


def _smp2017(site: Any, folder: Path, figures: dict[str, Any], *, quick: bool) -> None:
    smp = sets.smp2017(folder)
    tenant = stack.Tenant(site, "smp")
    tenant.call.upload("examples", "train.csv", _as_csv(smp.train))
    tenant.train("intent")
    figures["smp2017_accuracy"] = _accuracy(tenant, smp.test[:: 3 if quick else 1])


def _clinc150(
    site: Any, encoder: Any, folder: Path, figures: dict[str, Any], *, quick: bool
) -> None:
    from ml import metrics

    clinc = sets.clinc150(folder).every(5 if quick else 1)
    tenant = stack.Tenant(site, "clinc")
    tenant.call.upload("examples", "train.csv", _as_csv(clinc.train))
    model = tenant.load("intent", tenant.train("intent"))
    inside = [example.text for example in clinc.test]
    scores = model.scores(encoder.encode(inside + clinc.outside))
    figures["clinc150_oos_auroc"] = metrics.auroc(scores[: len(inside)], scores[len(inside) :])


def _chat_ratio(bank: stack.Tenant, encoder: Any, test: Path) -> float:
    """Latency of the whole door over that of the encoder, on the same questions, in turn.

    Both with one thread, as the web server has it: a second one would still be spinning in the chat.
    """
    import torch

    torch.set_num_threads(1)
    texts = [row["text"] for row in sets.read_csv(test)[: PASSES + 20]]
    passes, chats = [], []
    for position, text in enumerate(texts):
        started = time.perf_counter()
        encoder.encode([text])
        middle = time.perf_counter()
        bank.call.post("chat/messages", {"text": text})
        if position >= 20:  # after warm-up
            passes.append(middle - started)
            chats.append(time.perf_counter() - middle)
    print(
        f"encoder pass {1000 * statistics.median(passes):.1f} ms, "
        f"chat {1000 * statistics.median(chats):.1f} ms"
    )
    return statistics.median(chats) / statistics.median(passes)
