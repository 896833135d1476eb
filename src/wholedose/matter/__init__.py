"""Room matter."""
