"""Room synthetic."""
