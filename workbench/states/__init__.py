"""What a tab shows, one module a page. Handlers check who asks; the services do the work."""
