"""The verbs of the program, which both shells call, and the state that they change."""
