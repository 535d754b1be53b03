"""Let search engines and messengers read the shop: page heads, structured data, sitemap, robots.txt and manifest.

Imported by web.app.
"""
