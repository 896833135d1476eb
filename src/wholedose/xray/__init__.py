"""Room xray."""
