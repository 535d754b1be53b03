"""Build and update an index generation from a feed: compare, decode, encode, write rows, report."""
