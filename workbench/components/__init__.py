"""Building blocks of the pages: markup with class names; the looks are in `assets/`."""
