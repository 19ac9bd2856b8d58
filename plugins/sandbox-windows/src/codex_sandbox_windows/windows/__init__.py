"""Calls of the Windows API through ctypes. Used on Windows only, but importable everywhere."""
