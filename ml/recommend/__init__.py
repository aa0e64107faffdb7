"""Recommendations: what a customer is likely to take next."""

from ml.recommend.blend import Recommender

__all__ = ["Recommender"]
