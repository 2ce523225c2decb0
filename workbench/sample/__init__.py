"""The sample project: a short film as data, and what puts it into a user's list."""
