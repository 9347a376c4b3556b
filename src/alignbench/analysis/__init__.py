"""From the verdict table to answers: data frames in, data frames out. The public names stand in `alignbench`."""
