"""Gradient-boosted trees that scikit-learn fits and ONNX Runtime runs, and how good their probabilities are.

Imported by search.pricing.flags, search.pricing.forecasting, search.recommend.outlook, search.recommend.ranking.
"""
