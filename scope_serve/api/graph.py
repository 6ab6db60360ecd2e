"""From an offer to the chain that it asks for. Pure."""

from scope_serve.api.gateway import SessionRequest
from scope_serve.api.wire import Graph, Offer, Parameters
from scope_serve.errors import UnsupportedGraphError
from scope_serve.sessions.chain import ChainNode

_SUPPORTED = "supported is one optional source, pipelines in a row and one sink"


def session_request(offer: Offer) -> SessionRequest:
    """Return what ``offer`` asks for.

    A graph says more than a list of pipelines (its node ids are the addresses of parameters), so
    it wins if both are there and it has pipelines.

    Raises:
        UnsupportedGraphError: The graph is not a chain.
    """
    parameters = offer.initial_parameters or Parameters()
    nodes = chain_of_graph(parameters.graph) if parameters.graph is not None else ()
    return SessionRequest(
        sdp=offer.sdp,
        nodes=nodes or chain_of_ids(parameters.pipeline_ids or []),
        input_mode=parameters.input_mode,
        parameters=parameters.runtime(),
    )


def chain_of_ids(pipeline_ids: list[str]) -> tuple[ChainNode, ...]:
    """Return the nodes of a chain given as pipeline ids; a repeated id gets a number."""
    seen: dict[str, int] = {}
    nodes = []
    for pipeline_id in pipeline_ids:
        seen[pipeline_id] = seen.get(pipeline_id, 0) + 1
        count = seen[pipeline_id]
        node_id = pipeline_id if count == 1 else f"{pipeline_id}_{count}"
        nodes.append(ChainNode(node_id, pipeline_id))
    return tuple(nodes)


def chain_of_graph(graph: Graph) -> tuple[ChainNode, ...]:
    """Return the pipelines of a linear graph, in order.

    Raises:
        UnsupportedGraphError: A pipeline has no id, or the pipelines are not in a row.
    """
    pipelines = {node.id: node for node in graph.nodes if node.type == "pipeline"}
    if any(node.type == "node" for node in graph.nodes):
        raise UnsupportedGraphError(f"the graph has nodes that are no pipelines; {_SUPPORTED}")
    following: dict[str, str] = {}
    preceded: set[str] = set()
    for edge in graph.edges:
        if edge.kind != "stream" or edge.from_node not in pipelines:
            continue
        if edge.to_node in pipelines:
            if edge.from_node in following or edge.to_node in preceded:
                raise UnsupportedGraphError(f"the graph has branches; {_SUPPORTED}")
            following[edge.from_node] = edge.to_node
            preceded.add(edge.to_node)
    ordered = _in_order(list(pipelines), following, preceded)
    return tuple(
        ChainNode(each, _pipeline_id(pipelines[each].pipeline_id, each)) for each in ordered
    )


def _in_order(ids: list[str], following: dict[str, str], preceded: set[str]) -> list[str]:
    if not ids:
        return []
    starts = [each for each in ids if each not in preceded]
    if len(starts) != 1:
        raise UnsupportedGraphError(f"the graph has {len(starts)} first pipelines; {_SUPPORTED}")
    ordered = starts
    while ordered[-1] in following:
        ordered.append(following[ordered[-1]])
    if len(ordered) != len(ids):
        raise UnsupportedGraphError(f"the graph has pipelines that are not connected; {_SUPPORTED}")
    return ordered


def _pipeline_id(pipeline_id: str | None, node_id: str) -> str:
    if not pipeline_id:
        raise UnsupportedGraphError(f"pipeline node {node_id!r} of the graph has no pipeline_id")
    return pipeline_id
