"""The networks behind the protocols of `tasks.vision.faces`, one module per family, opened only when asked for."""
