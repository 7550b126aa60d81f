"""What is measured: a module for each workload, with its cases, its data and amigrad's side of it."""

MODULES = ("line", "gates", "window", "ranking", "joint", "mlp", "sequence", "elementwise", "matmul", "start")
