"""Rules that say which commands run, are asked about or are refused (``*.rules`` files of Codex 0.118)."""
