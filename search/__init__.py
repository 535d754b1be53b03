"""A question to ranked products, with the evidence."""
