"""What narrows a shop's products: the panels of facets, the swatches of colours, the menu of categories.

Imported by web.pages.
"""
