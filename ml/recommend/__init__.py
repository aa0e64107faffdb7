"""Recommendations: what a customer is likely to take next."""

from ml.recommend.blend import Recommender
from ml.recommend.offer import Offer

__all__ = ["Offer", "Recommender"]
