import pytest

from tests.indexer.vectors.engines import FaissEngine, MilvusEngine


@pytest.fixture(scope="module", params=["faiss", "milvus"])
def engine(request, tmp_path_factory):
    """Where vectors are, with one shop's generations: a flat one and one with inverted lists."""
    home = tmp_path_factory.mktemp("shop")
    if request.param == "faiss":
        yield FaissEngine(home)
    else:
        with pytest.MonkeyPatch.context() as patch:
            server = request.getfixturevalue("milvus_server")
            patch.setenv("WINDOWSHOP_VECTORS", server.address)
            yield MilvusEngine(home)
