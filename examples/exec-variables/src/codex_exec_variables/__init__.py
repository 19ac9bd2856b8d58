"""The environment ``variables``: this machine, with variables of the configuration in every process."""
