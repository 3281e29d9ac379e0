"""Writes the payload files in payloads/: prompts of passages and a question, sized by SmolLM2's tokenizer."""
