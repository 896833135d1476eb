"""wholedose."""
