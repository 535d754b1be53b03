"""How objects in photos are found: products of scenes, and photos of one product."""
