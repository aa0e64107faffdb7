"""Recommendations: what a customer is likely to take next."""

from ml.recommend.blend import Recommender, fitting
from ml.recommend.offer import Offer
from ml.recommend.plan import Plan, Settings

__all__ = ["Offer", "Plan", "Recommender", "Settings", "fitting"]
