"""How many requests a server answers at once: clients that wait for each answer, and arrivals that wait for nobody."""
