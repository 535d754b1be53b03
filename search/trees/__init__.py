"""Gradient-boosted trees that scikit-learn fits and ONNX Runtime runs.

Imported by search.recommend.outlook, search.recommend.ranking.
"""
