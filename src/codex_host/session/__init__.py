"""Run threads: settings, turns, tools, approvals, history."""
