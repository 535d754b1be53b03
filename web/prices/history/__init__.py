"""What a product's price was, in words, as a chart and as a table, and what is said of it now.

Imported by web.prices, web.prices.merchant.
"""
