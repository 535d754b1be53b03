"""How well prices are forecast, on a log of purchases."""
