"""Plan the products of the sample shop: families, titles, prices and tables."""
