"""Room dose."""
