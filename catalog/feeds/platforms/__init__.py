"""Read the exports of shop platforms: Shopify, WooCommerce, Magento and PrestaShop.

Each module tells by a table's header whether it is its platform's export, and joins the rows of one product, its
variants and pictures, into one row with the column names of other feeds.

Imported by catalog.feeds, catalog.feeds.platform_documents.
"""
