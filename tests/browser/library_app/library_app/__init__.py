"""The app of the library's browser tests."""
