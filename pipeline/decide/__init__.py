"""What people and policies decide, and the context file that carries it to the generator."""
