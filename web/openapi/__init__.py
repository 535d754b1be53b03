"""Build the OpenAPI document and its reference page."""
