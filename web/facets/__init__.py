"""What narrows a shop's products: panels of facets, swatches of colours, the menu of categories, choices of variants.

Imported by web.pages.
"""
