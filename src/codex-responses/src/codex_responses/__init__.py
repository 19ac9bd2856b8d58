"""What providers of Responses API models share: stream events and failures as model events and errors."""
