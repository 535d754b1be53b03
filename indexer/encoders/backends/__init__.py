"""Run and export models: ONNX Runtime, torch modules, preprocessing and the starter's towers. Used by encoders only."""
