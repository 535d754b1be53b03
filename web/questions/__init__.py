"""Questions about products over HTTP: what is stated, customers' questions, the shop's answers, the pages for both.

Imported by web, web.api, web.openapi, web.pages.
"""
