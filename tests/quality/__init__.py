"""How good Windowshop is: the sample shop and public data asked as a shopper would, one JSON, one HTML report."""
