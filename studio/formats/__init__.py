"""Files in and out: ONNX and PyTorch in, ONNX out."""
