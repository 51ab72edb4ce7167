"""What is working: posts with their scores, what speaks for and against them, themes, platforms."""
