"""Makes what the documents show and play, from the program itself: `make samples`."""
