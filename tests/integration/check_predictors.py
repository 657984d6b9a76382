"""What ONNX's own library says about exported predictors.

Usage: check_predictors.py TEST_EXPORT_ONNX, the path of the unit test program, which can write some. Exits with 77, which
ctest counts as skipped, where the onnx package is not installed.
"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import onnx
    from onnx import TensorProto, checker
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

INPUTS = {
    "conv": "HW,CIN,COUT,KERNEL_SIZE,STRIDES",
    "conv_more": "HW,CIN,COUT,KERNEL_SIZE,STRIDES,Batch,groups,pad",
    "conv_padding": "HW,CIN,COUT,KERNEL_SIZE,STRIDES,padding,clock_ghz",
    "dwconv": "HW,CIN,COUT,KERNEL_SIZE,STRIDES",
    "fc": "CIN,COUT",
    "matmul": "B,M,N,K",
    "avgpool": "HW,CIN,COUT,KERNEL_SIZE,POOL_STRIDES",
    "concat": "HW,CIN1,CIN2,CIN3,CIN4",
    "hswish": "HW,CIN",
}


def described(value):
    tensor = value.type.tensor_type
    return value.name, tensor.elem_type, [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]


def check(path):
    model = onnx.load(str(path))
    checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    case, model_kind = path.stem.split("-")
    inputs = INPUTS[case]
    assert metadata["model"] == model_kind, metadata
    assert metadata["inputs"] == inputs, metadata
    assert metadata["kernel"] and metadata["nn_meter_version"], metadata
    columns = inputs.count(",") + 1
    assert [described(v) for v in model.graph.input] == [("configuration", TensorProto.FLOAT, ["N", columns])]
    assert [described(v) for v in model.graph.output] == [("latency_ms", TensorProto.FLOAT, ["N", 1])]
    assert {(o.domain, o.version) for o in model.opset_import} == {("", 14), ("ai.onnx.ml", 3)}
    assert "TreeEnsembleRegressor" in {node.op_type for node in model.graph.node}


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], "write", folder], check=True)
        paths = sorted(pathlib.Path(folder).glob("*.onnx"))
        assert {path.stem for path in paths} == {f"{c}-{m}" for c in INPUTS for m in ("random_forest", "best")}, paths
        for path in paths:
            check(path)
    print(f"all as expected (onnx {onnx.__version__})")


main()
