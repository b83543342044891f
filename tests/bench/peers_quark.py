"""Quark (ONNX): cross-layer equalization, then uint8 min-max activations and int8 weights per channel.

The variant `8+reduced` keeps weights to 7 bits, for x86 without VNNI; its older configuration says so.
"""

from __future__ import annotations

import peers_job
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType
from quark.onnx import CLEConfig, Int8Spec, ModelQuantizer, QConfig, QLayerConfig, UInt8Spec
from quark.onnx.quantization.config.config import Config
from quark.onnx.quantization.config.legacy import QuantizationConfig
from quark.onnx.quantization.config.spec import CalibMethod, QuantGranularity


class Reader(CalibrationDataReader):  # type: ignore[misc]  # Quark and onnxruntime ship no types
    """One sample at a time; Quark starts again from the first when it wants to."""

    def __init__(self, name: str, samples: list[peers_job.Samples]) -> None:
        self._name, self._samples = name, samples
        self.rewind()

    def rewind(self) -> None:
        self._left = iter(self._samples)

    def get_next(self) -> dict[str, peers_job.Samples] | None:
        batch = next(self._left, None)
        return None if batch is None else {self._name: batch}


def quantize(job: peers_job.Job) -> None:
    config = _reduced() if job.variant.endswith("+reduced") else _usual()
    reader = Reader(peers_job.input_name(job.model), list(job.batches()))
    ModelQuantizer(config).quantize_model(str(job.model), str(job.out), reader)


def _usual() -> QConfig:
    activation = UInt8Spec(symmetric=False, calibration_method=CalibMethod.MinMax)
    weight = Int8Spec(
        symmetric=True, calibration_method=CalibMethod.MinMax, quant_granularity=QuantGranularity.Channel
    )
    layers = QLayerConfig(activation=activation, weight=weight)
    return QConfig(global_config=layers, algo_config=[CLEConfig(cle_steps=2)])


def _reduced() -> Config:
    return Config(
        global_quant_config=QuantizationConfig(
            calibrate_method=CalibrationMethod.MinMax,
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            include_cle=True,
            extra_options={"CLESteps": 2, "WeightSymmetric": True, "ActivationSymmetric": False},
        )
    )


if __name__ == "__main__":
    peers_job.run(quantize)
