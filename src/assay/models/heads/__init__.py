"""What a net answers with besides vectors, classes and words: boxes, masks, spans of time, transcripts."""
