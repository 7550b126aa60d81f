"""The native compiler: simplify -> schedule -> plan -> emit -> load. See `executor` for how they meet."""
