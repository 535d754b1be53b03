"""Read HTTP requests into the types of the search room."""
