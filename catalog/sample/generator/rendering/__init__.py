"""Light, render and finish the pictures of the sample shop."""
