"""ONNX Runtime from Python on the same file, with its own default options. Arguments: file, size, threads."""
import sys

from answering import absent, answer

try:
    import numpy
    import onnxruntime
except ImportError as error:
    absent(error)

file, size, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
x = numpy.random.rand(1, size, size, 3).astype("float32")
answer(f"ONNX Runtime {onnxruntime.__version__} (Python)", {"predict": lambda: session.run(None, {"input": x})})
