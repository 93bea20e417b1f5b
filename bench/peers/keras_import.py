"""`tf` and `keras` on TensorFlow, quiet, or a word that they are absent."""
import os

from answering import absent

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
try:
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401
except ImportError as error:
    absent(error)


def use_threads(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
