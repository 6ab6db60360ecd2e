"""From graphs and lists of pipelines to chains."""

import pytest

from scope_serve.api.graph import chain_of_graph, chain_of_ids, session_request
from scope_serve.api.wire import Graph, Offer
from scope_serve.errors import UnsupportedGraphError
from scope_serve.sessions.chain import ChainNode


def graph(pipelines, *edges, others=()):
    """Return a graph of pipelines (``"a"`` has the id ``"p-a"``) and edges (``"a>b"``)."""
    nodes = [{"id": name, "type": "pipeline", "pipeline_id": f"p-{name}"} for name in pipelines]
    nodes += [{"id": name, "type": kind} for name, kind in others]
    ends = [edge.split(">") for edge in edges]
    return Graph.model_validate(
        {"nodes": nodes, "edges": [{"from": start, "to_node": end} for start, end in ends]}
    )


AROUND = (("in", "source"), ("out", "sink"))


def names(found):
    return "".join(node.node_id for node in chain_of_graph(found))


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (graph("a"), "a"),
        (graph("ab", "a>b"), "ab"),
        (graph("cba", "a>b", "b>c"), "abc"),
        (graph("a", "in>a", "a>out", others=AROUND), "a"),
        (graph("ba", "in>a", "a>b", "b>out", others=AROUND), "ab"),
        (graph("a", "a>out", others=AROUND), "a"),
        (graph("", "in>out", others=AROUND), ""),
        (graph("a", "a>tape", others=[("tape", "record")]), "a"),
    ],
)
def test_pipelines_in_a_row_are_a_chain(found, wanted):
    assert names(found) == wanted


def test_a_node_has_the_name_that_the_graph_gives_it():
    assert chain_of_graph(graph("a")) == (ChainNode("a", "p-a"),)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (graph("abc", "a>b", "a>c"), "branches"),
        (graph("abc", "a>c", "b>c"), "branches"),
        (graph("ab", "a>b", "b>a"), "0 first"),
        (graph("a", "a>a"), "0 first"),
        (graph("abc", "b>c", "c>b"), "not connected"),
        (graph("ab"), "2 first"),
        (graph("ab", "in>a", "in>b", "a>out", "b>out", others=AROUND), "2 first"),
        (graph("ab", "a>b", "in>a", "in>b", others=AROUND), "source"),
        (graph("ab", "a>b", "a>out", "b>out", others=AROUND), "sink"),
        (graph("aa"), "same id"),
        (graph("a", others=[("n", "node")]), "no pipelines"),
    ],
)
def test_any_other_graph_is_refused_with_its_reason(found, reason):
    with pytest.raises(UnsupportedGraphError, match=reason):
        chain_of_graph(found)


def test_a_pipeline_node_needs_a_pipeline():
    found = Graph.model_validate({"nodes": [{"id": "a", "type": "pipeline"}], "edges": []})
    with pytest.raises(UnsupportedGraphError, match=r"'a'.*no pipeline_id"):
        chain_of_graph(found)


@pytest.mark.parametrize("port", ["from_port", "to_port"])
def test_a_port_that_is_not_the_video_is_refused(port):
    found = graph("ab")
    edge = {"from": "a", "to_node": "b", port: "vace_input_frames"}
    edges = Graph.model_validate({"nodes": [], "edges": [edge]}).edges
    with pytest.raises(UnsupportedGraphError, match="vace_input_frames"):
        chain_of_graph(found.model_copy(update={"edges": edges}))


def test_the_start_of_an_edge_has_two_names():
    nodes = [{"id": name, "type": "pipeline", "pipeline_id": name} for name in "ab"]
    for key in ("from", "from_node"):
        edge = {key: "b", "to_node": "a", "from_port": "video", "to_port": "video"}
        assert names(Graph.model_validate({"nodes": nodes, "edges": [edge]})) == "ba"


def test_edges_that_carry_parameters_do_not_count():
    found = graph("ab", "a>b", "a>b")
    found.edges[1].kind = "parameter"
    assert names(found) == "ab"


def test_a_repeated_pipeline_gets_a_number():
    found = chain_of_ids(["gray", "gray", "invert", "gray"])
    assert [node.node_id for node in found] == ["gray", "gray_2", "invert", "gray_3"]


def test_a_number_never_collides_with_an_id():
    found = chain_of_ids(["gray", "gray_2", "gray"])
    assert len({node.node_id for node in found}) == 3


def offer(**parameters):
    return Offer.model_validate({"sdp": "s", "type": "offer", "initialParameters": parameters})


def test_a_graph_wins_over_a_list():
    request = session_request(offer(graph=graph("a").model_dump(), pipeline_ids=["other"]))
    assert request.nodes == (ChainNode("a", "p-a"),)


def test_a_graph_without_pipelines_leaves_the_list():
    empty = {"nodes": [], "edges": []}
    assert session_request(offer(graph=empty, pipeline_ids=["x"])).nodes == (ChainNode("x", "x"),)


def test_an_offer_without_parameters_asks_for_nothing():
    request = session_request(Offer(sdp="s", type="offer"))
    assert (request.nodes, request.input_mode) == ((), None)
