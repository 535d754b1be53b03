"""What shops answer to photos of what they sell and of what they do not, as one table."""
