"""Trains the embedded eyes on the painter's ground truth: finder, landmarks, two identity encoders, matte.

`people` renders cut-outs, `scenes` composes endless pictures from them, `nets` says what the networks look like,
`learn_*` teach them, `export` writes ONNX, `fit` finds thresholds, `evaluate` prints the figures.
"""
