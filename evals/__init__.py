"""How well the language model words findings: recorded replies, replayed and scored."""
