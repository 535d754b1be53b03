"""How well products are recommended: to the customers of simulated shops, and on logs of purchases."""
