"""Tensors, operations and graphs: recording, topological order, gradients, tracing, sizes."""

from amigrad.graph.dtypes import DType, bool_, float32, float64, int32, int64
from amigrad.graph.errors import TraceError
from amigrad.graph.gradients import gradients
from amigrad.graph.graph import Graph, graph
from amigrad.graph.operation import Operation, Operator, apply
from amigrad.graph.recording import no_gradients
from amigrad.graph.sizes import Dim, Shape, Size
from amigrad.graph.tensor import (
    Parameter,
    Spec,
    State,
    Tensor,
    TensorLike,
    from_dlpack,
    parameter,
    state,
    tensor,
)
from amigrad.graph.trace import Trace

__all__ = [
    "DType",
    "Dim",
    "Graph",
    "Operation",
    "Operator",
    "Parameter",
    "Shape",
    "Size",
    "Spec",
    "State",
    "Tensor",
    "TensorLike",
    "Trace",
    "TraceError",
    "apply",
    "bool_",
    "float32",
    "float64",
    "from_dlpack",
    "gradients",
    "graph",
    "int32",
    "int64",
    "no_gradients",
    "parameter",
    "state",
    "tensor",
]
