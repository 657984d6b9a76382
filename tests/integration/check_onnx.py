"""What ONNX's own library says about the models that we write, and what we say about models that it makes.

Usage: check_onnx.py TEST_ONNX TEST_ONNX_OPERATORS, the paths of the unit test programs, which have modes for both. Exits
with 77, which ctest counts as skipped, where the onnx package is not installed.
"""

import itertools
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    from onnx import TensorProto, checker, helper, numpy_helper, shape_inference
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

failures = []


def check(condition, message):
    if not condition:
        failures.append(message)
        print("FAILED:", message)


def shape_of(value):
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def inferred_shapes(model):
    """Output shapes that ONNX infers when it is not told them."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    return [shape_of(output) for output in shape_inference.infer_shapes(bare, strict_mode=True).graph.output]


def check_written(program, folder, at_least):
    """Every model that we write is valid, says the shapes that ONNX infers, and has sound weights."""
    subprocess.run([program, "write", folder], check=True)
    paths = sorted(pathlib.Path(folder).glob("*.onnx"))
    check(len(paths) >= at_least, f"only {len(paths)} models were written")
    for path in paths:
        model = onnx.load(path)
        try:
            checker.check_model(model, full_check=True)
        except Exception as error:  # the checker raises several kinds
            check(False, f"{path.name}: {error}")
            continue
        check(model.ir_version == 8, f"{path.name}: IR version {model.ir_version}")
        check([(o.domain, o.version) for o in model.opset_import] == [("", 14)], f"{path.name}: operator sets")
        declared = [shape_of(output) for output in model.graph.output]
        inferred = inferred_shapes(model)
        check(declared == inferred and all(declared), f"{path.name}: {declared} declared, {inferred} inferred")
        for weight in model.graph.initializer:
            if weight.data_type == TensorProto.INT64:  # a shape
                continue
            values = numpy.abs(numpy_helper.to_array(weight))
            check(numpy.isfinite(values).all(), f"{path.name}: {weight.name} is not finite")
            tiny = numpy.finfo(numpy.float32).tiny
            check(not ((values > 0) & (values < tiny)).any(), f"{path.name}: {weight.name} has denormal values")
    return paths


def check_pads(path):
    pads = [list(attribute.ints) for node in onnx.load(path).graph.node for attribute in node.attribute
            if attribute.name == "pads"]
    check(pads == [[1, 0, 2, 3]], f"{path.name}: pads {pads} are not top, left, bottom, right")


def make(nodes, inputs, weights, opset, raw=True):
    """A model by ONNX's own helpers, with the output "y"; weights are random, arrays are taken as they are."""
    generator = numpy.random.default_rng(1)
    constants = []
    for name, shape in weights.items():
        if isinstance(shape, numpy.ndarray):
            constants.append(numpy_helper.from_array(shape, name))
            continue
        values = generator.random(shape, dtype=numpy.float32) if isinstance(shape, list) else numpy.float32(shape)
        if raw:
            constants.append(numpy_helper.from_array(numpy.asarray(values), name))
        else:
            constants.append(helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.flatten()))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "made", values, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    return shape_inference.infer_shapes(model, strict_mode=True)


def foreign_models():
    image = {"x": [2, 4, 15, 17]}
    batch_norm = {name: [6] for name in ("scale", "bias", "mean", "variance")}
    norm_inputs = ["c", "scale", "bias", "mean", "variance"]
    for opset in (7, 8, 9, 10, 11, 13, 14, 15):
        clip = dict(inputs=["n", "low", "high"]) if opset >= 11 else dict(inputs=["n"], min=0.0, max=6.0)
        limits = {"low": 0.0, "high": 6.0} if opset >= 11 else {}
        nodes = [
            helper.make_node("Conv", ["x", "w"], ["c"], auto_pad="SAME_UPPER", strides=[2, 3]),
            helper.make_node("BatchNormalization", norm_inputs, ["n"], momentum=0.5),
            helper.make_node("Clip", clip.pop("inputs"), ["k"], **clip),
            helper.make_node("Flatten", ["k"], ["f"]),
            helper.make_node("Gemm", ["f", "g"] + (["h"] if opset < 11 else []), ["y"], transB=1),
        ]
        weights = {"w": [6, 4, 3, 2], **batch_norm, **limits, "g": [5, 288], "h": [5]}
        yield f"network_{opset}", make(nodes, image, weights, opset, raw=opset % 2 == 0)
    for name, attributes, weight in (
        ("grouped", dict(group=2, pads=[1, 0, 2, 4]), [6, 2, 3, 3]),
        ("strided", dict(strides=[4, 1], kernel_shape=[5, 1]), [3, 4, 5, 1]),
        ("notset", dict(auto_pad="NOTSET", dilations=[1, 1]), [3, 4, 2, 2]),
    ):
        nodes = [helper.make_node("Conv", ["x", "w", ""], ["y"], **attributes)]
        yield name, make(nodes, image, {"w": weight}, 13)


def integers(values):
    return numpy.array(values, dtype=numpy.int64)


def foreign_operators():
    """The operators beside convolutions and fully connected layers, in the words of several exporters."""
    image = {"x": [2, 4, 15, 17]}
    for opset in (7, 11, 13, 17):
        sizes = dict(split=[2, 2]) if opset < 13 else {}
        nodes = [
            helper.make_node("MaxPool", ["x"], ["m"], kernel_shape=[3, 2], strides=[2, 1], auto_pad="SAME_UPPER"),
            helper.make_node("AveragePool", ["m"], ["p"], kernel_shape=[2, 2], count_include_pad=1),
            helper.make_node("Split", ["p"], ["first", "second"], axis=1, **sizes),
            helper.make_node("Concat", ["second", "first", "second"], ["c"], axis=1),
            helper.make_node("Reshape", ["c", "grouped"], ["g"]),
            helper.make_node("Transpose", ["g"], ["t"], perm=[0, 2, 1, 3, 4]),
            helper.make_node("Reshape", ["t", "whole"], ["s"]),
            helper.make_node("GlobalAveragePool", ["s"], ["a"]),
            helper.make_node("HardSigmoid", ["a"], ["h"], alpha=1 / 6),
            helper.make_node("Sigmoid", ["s"], ["i"]),
            helper.make_node("Mul", ["h", "s"], ["gated"]),
            helper.make_node("Mul", ["gated", "i"], ["z"]),
            helper.make_node("Add", ["z", "s"], ["y"]),
        ]
        shapes = {"grouped": integers([0, 3, -1, 7, 16]), "whole": integers([2, 6, 7, 16])}
        yield f"operators_{opset}", make(nodes, image, shapes, opset)
    nodes = [
        helper.make_node("Split", ["x", "sizes"], ["a", "b"], axis=1),
        helper.make_node("HardSwish", ["b"], ["y"]),
    ]
    yield "split", make(nodes, image, {"sizes": integers([2, 2])}, 14)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("MatMul", ["m", "v"], ["y"])]
    yield "matmul", make(nodes, {"x": [2, 5, 7]}, {"w": [7, 3], "v": [3, 4]}, 13)
    yield "matmul_float", make(nodes, {"x": [5, 7]}, {"w": [7, 3], "v": [3, 4]}, 13, raw=False)


def check_read(program, folder):
    """Models that ONNX makes read with the shapes that it infers."""
    for name, model in itertools.chain(foreign_models(), foreign_operators()):
        checker.check_model(model)
        path = pathlib.Path(folder) / f"foreign_{name}.onnx"
        onnx.save(model, str(path))
        result = subprocess.run([program, "read", str(path)], capture_output=True, text=True)
        expected = "".join(f"{shape}\n" for shape in inferred_shapes(model))
        check(result.stdout == expected and result.returncode == 0,
              f"{path.name}: {result.stdout.strip()} read, {expected.strip()} inferred {result.stderr}")


def check_refused(program, folder):
    nodes = [helper.make_node("Softmax", ["x"], ["y"])]
    model = make(nodes, {"x": [1, 4]}, {}, 13)
    path = pathlib.Path(folder) / "softmax.onnx"
    onnx.save(model, str(path))
    result = subprocess.run([program, "read", str(path)], capture_output=True, text=True)
    check(result.returncode == 1 and "NNM_ERR_UNSUPPORTED" in result.stdout and "Softmax" in result.stdout,
          f"Softmax: {result.stdout.strip()}")


def main():
    program, operators = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        check_pads(check_written(program, folder, 12)[-1])
    with tempfile.TemporaryDirectory() as folder:
        check_written(operators, folder, 80)
    with tempfile.TemporaryDirectory() as folder:
        check_read(program, folder)
        check_refused(program, folder)
    print("failed" if failures else "all as expected", f"(onnx {onnx.__version__})")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
