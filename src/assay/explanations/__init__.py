"""What an answer rests on: a map over each modality of a sample, each modality's share, and whether the map can be believed."""
