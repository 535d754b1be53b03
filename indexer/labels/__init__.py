"""Predict attribute labels from rows: heads, network, k-NN vote and their fusion. Imports no torch."""
