"""Run the fault tests against hypercorn's own server as well, to see that they can fail."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stock-edge",
        action="store_true",
        help="run the proofs of the edge's faults against hypercorn's own server too",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server_kind" not in metafunc.fixturenames:
        return
    kinds: list[object] = ["edge"]
    if metafunc.config.getoption("--stock-edge", default=False):
        fails = pytest.mark.xfail(strict=True, reason="the fault this edge was built against")
        kinds.append(pytest.param("stock", marks=fails))
    metafunc.parametrize("server_kind", kinds)
