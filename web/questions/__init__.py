"""Questions about products over HTTP: what is stated, customers' questions, the shop's answers, the pages for both.

Imported by web.api, web.app, web.openapi, web.pages.
"""
