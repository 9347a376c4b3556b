"""The simulated claims of the documentation, each on tables whose truth is known."""
