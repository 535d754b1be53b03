"""HTML pages and what their templates show."""
