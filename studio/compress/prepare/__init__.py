"""The graph made small and plain before anything is quantized."""
