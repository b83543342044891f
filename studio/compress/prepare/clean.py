"""What nobody reads goes, and what is there twice is there once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.compress.work import Work, array_of, drop

if TYPE_CHECKING:
    import onnx_ir as ir

_WORTH_SHARING = 512  # bytes: a small one costs more in surprise than it saves
_HEAD = 256  # elements that tell nearly all constants apart


def tidy(work: Work) -> None:
    """Constants become initializers that are not inputs; what only helps readers is dropped."""
    from onnx_ir.passes import common

    common.RemoveInitializersFromInputsPass()(work.model)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(work.model)
    work.model.graph.metadata_props.clear()
    for value in work.model.graph.initializers.values():
        value.metadata_props.clear()
        value.shape = value.type = None  # the tensor says both
    for node in work.model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
            if not value.is_graph_output():
                value.shape = value.type = None


def own_constants(work: Work) -> None:
    """A constant behind Identity becomes its reader's own: exporters write equal biases once, so."""
    for node in list(work.model.graph):
        if node.op_type != "Identity" or node.outputs[0].is_graph_output():
            continue
        array = array_of(node.inputs[0])
        if array is None:
            continue
        own = work.constant(array)
        for reader, index in tuple(node.outputs[0].uses()):
            reader.replace_input_with(index, own)
        drop(work.model, node)


def share_equals(work: Work) -> None:
    """Large constants of equal type, shape and bytes are stored once, as the file had them before passes."""
    alike: dict[tuple[object, ...], list[ir.Value]] = {}
    initializers = work.model.graph.initializers
    for value in list(initializers.values()):
        tensor = value.const_value
        if tensor is None or tensor.nbytes < _WORTH_SHARING or value.is_graph_output():
            continue
        array = tensor.numpy()
        near = alike.setdefault((tensor.dtype, array.shape, array.reshape(-1)[:_HEAD].tobytes()), [])
        same = next((each for each in near if _tensor(each).tobytes() == tensor.tobytes()), None)
        if same is None:
            near.append(value)
            continue
        value.replace_all_uses_with(same)
        initializers.pop(str(value.name))


def sweep(work: Work) -> None:
    """Remove nodes and initializers that nothing uses."""
    from onnx_ir.passes import common

    common.RemoveUnusedNodesPass()(work.model)


def drop_unused(work: Work) -> None:
    """The same for what passes leave behind in the main graph; quicker, for it is done at every build."""
    graph = work.model.graph
    for node in reversed(graph):
        if not any(value.uses() or value.is_graph_output() for value in node.outputs):
            graph.remove(node, safe=True)
    for name, value in list(graph.initializers.items()):
        if not value.uses() and not value.is_graph_output():
            graph.initializers.pop(name)


def _tensor(value: ir.Value) -> ir.TensorProtocol:
    assert value.const_value is not None
    return value.const_value
