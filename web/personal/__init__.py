"""What shoppers see of the personal feed: shelves of the front page and of products, and the page "For you".

Imported by web.app, web.pages, web.saved.
"""
