"""Forecasters of prices that are only measured: exponential smoothing, Theta, ARIMA, GARCH, a convolutional network.

Imported by search.pricing.evaluation.
"""
