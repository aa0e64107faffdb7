"""All tables of this slice."""

from saas.recommend.models.behaviour import Customer, Event
from saas.recommend.models.catalog import Item
from saas.recommend.models.offers import Experiment, Recommendation, Rule

__all__ = ["Customer", "Event", "Experiment", "Item", "Recommendation", "Rule"]
