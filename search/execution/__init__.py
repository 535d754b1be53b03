"""Run steps under deadlines and time them."""
