"""The personal feed: the products that a shop shows to one visitor, on shelves, each with a true reason.

Imported by search.recommend, web.api, web.i18n, web.personal, web.requests.
"""
