"""The simulated claims, each over a thousand seeds."""
