"""Code shared by providers of Responses API models: translation of stream events and failures."""
