"""What people say of outputs: which are drawn, how they are labelled, and what their labels correct."""
