"""Run each proof of a fault against hypercorn's own server as well, to see that it can fail.

There it has to fail, and does so in `make check`; `--stock-edge` shows the failures themselves.
"""

import pytest
import trio

# The last one is said by a server that is no more.
FAILURES = (AssertionError, pytest.fail.Exception, trio.TooSlowError, ConnectionRefusedError)


def _is_failure(error: BaseException) -> bool:
    """Whether this is what a test says, not what breaks a test; pytest-trio wraps it in groups."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_failure(one) for one in error.exceptions)
    return isinstance(error, FAILURES)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stock-edge",
        action="store_true",
        help="run the proofs of the edge's faults against hypercorn's own server, and fail",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server_kind" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--stock-edge", default=False):
        metafunc.parametrize("server_kind", ["stock"])
        return
    fails = pytest.mark.xfail(
        strict=True,
        raises=pytest.RaisesExc(BaseException, check=_is_failure),
        reason="the fault this edge was built against",
    )
    stock = pytest.param("stock", marks=[fails, pytest.mark.slow])
    metafunc.parametrize("server_kind", ["edge", stock])
