"""Follow generations and change products while the shop is open."""
