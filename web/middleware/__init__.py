"""Run around every request: keys, limits, headers, logs, metrics and uploads."""
