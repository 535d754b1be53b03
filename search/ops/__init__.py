"""Report a shop's state to its operator: index status, catalogue map and query log."""
