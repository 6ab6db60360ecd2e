"""From an offer to the chain that it asks for. Pure."""

from scope_serve.api.gateway import SessionRequest
from scope_serve.api.wire import Graph, GraphEdge, Offer, Parameters
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
        count = seen.get(pipeline_id, 0) + 1
        while count > 1 and f"{pipeline_id}_{count}" in pipeline_ids:
            count += 1
        seen[pipeline_id] = count
        node_id = pipeline_id if count == 1 else f"{pipeline_id}_{count}"
        nodes.append(ChainNode(node_id, pipeline_id))
    return tuple(nodes)


def chain_of_graph(graph: Graph) -> tuple[ChainNode, ...]:
    """Return the pipelines of a linear graph, in order.

    Raises:
        UnsupportedGraphError: A pipeline has no id, or the pipelines are not in a row.
    """
    if len({node.id for node in graph.nodes}) < len(graph.nodes):
        raise UnsupportedGraphError("two nodes of the graph have the same id")
    if any(node.type == "node" for node in graph.nodes):
        raise UnsupportedGraphError(f"the graph has nodes that are no pipelines; {_SUPPORTED}")
    pipelines = {node.id: node for node in graph.nodes if node.type == "pipeline"}
    streams = [edge for edge in graph.edges if edge.kind == "stream"]
    following: dict[str, str] = {}
    preceded: set[str] = set()
    for edge in streams:
        _check_ports(edge)
        if edge.from_node not in pipelines or edge.to_node not in pipelines:
            continue
        if edge.from_node in following or edge.to_node in preceded:
            raise UnsupportedGraphError(f"the graph has branches; {_SUPPORTED}")
        following[edge.from_node] = edge.to_node
        preceded.add(edge.to_node)
    ordered = _in_order(list(pipelines), following, preceded)
    _check_ends(graph, streams, ordered)
    return tuple(
        ChainNode(each, _pipeline_id(pipelines[each].pipeline_id, each)) for each in ordered
    )


def _check_ports(edge: GraphEdge) -> None:
    for port in (edge.from_port, edge.to_port):
        if port != "video":
            raise UnsupportedGraphError(f"the graph uses port {port!r:.100}; only video is carried")


def _check_ends(graph: Graph, streams: list[GraphEdge], ordered: list[str]) -> None:
    """Refuse a graph that takes pictures in, or out, in the middle of its chain."""
    types = {node.id: node.type for node in graph.nodes}
    for edge in streams:
        if types.get(edge.from_node) == "source" and edge.to_node in ordered[1:]:
            raise UnsupportedGraphError(f"a source leads into the middle; {_SUPPORTED}")
        if types.get(edge.to_node) == "sink" and edge.from_node in ordered[:-1]:
            raise UnsupportedGraphError(f"a sink follows the middle; {_SUPPORTED}")


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
