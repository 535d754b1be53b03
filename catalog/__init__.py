"""What a product is, and the truth about every product."""
