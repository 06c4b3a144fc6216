"""What a person reads: one HTML file, and the same in short in a terminal."""
