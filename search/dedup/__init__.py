"""Find duplicate listings by pictures and titles."""
