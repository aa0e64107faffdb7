"""A new version goes live unless the live one is better by more than chance."""

import pytest

from saas.training import runs, store
from saas.training.models import ModelVersion, Run


def made(accuracy: float | None, encoder: str = "e5", held_out: int = 100) -> store.Made:
    metrics = {"held_out": held_out} | ({} if accuracy is None else {"accuracy": accuracy})
    return store.Made(metrics=metrics, fingerprint="", encoder=encoder)


def finish(business, result: store.Made) -> ModelVersion:
    with business.scope():
        run = runs.take(runs.start("intent", actor="test").id)
        runs.complete(run, result)
        return ModelVersion.objects.get(run=run)


@pytest.mark.parametrize(
    ("new", "live"),
    [
        (made(0.95), True),
        (made(0.90), True),
        (made(0.87), True),  # one standard error of the difference is 0.05
        (made(0.84), False),
        (made(0.87, held_out=10_000), False),
        (made(0.10, encoder="another"), True),  # the live one cannot be served with it
        (made(None), True),
    ],
)
def test_which_version_is_live(new: store.Made, live: bool, shop) -> None:
    first = finish(shop, made(0.90))
    assert first.active

    second = finish(shop, new)

    with shop.scope():
        active = ModelVersion.objects.get(active=True)
    assert (active == second, active == first) == (live, not live)
    assert second.parent_id == first.pk
    assert bool(second.note) is not live


def test_kinds_do_not_compete(shop) -> None:
    finish(shop, made(0.99))
    with shop.scope():
        run = runs.take(runs.start("recommend", actor="test").id)
        result = store.Made(metrics={"ndcg10": 0.1}, fingerprint="", encoder="e5")
        runs.complete(run, result)
        assert ModelVersion.objects.filter(active=True).count() == 2
        assert list(ModelVersion.objects.values_list("number", flat=True)) == [1, 1]
        assert Run.objects.filter(state="succeeded").count() == 2


def test_a_model_is_served_with_its_own_encoder_only(shop) -> None:
    finish(shop, made(0.9, encoder="another"))
    with shop.scope():
        assert store.serving("intent", rows="knowledge", encoder="e5").model is None
