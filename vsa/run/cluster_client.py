"""A client of a Dask scheduler that is there, or of one that is begun; what goes wrong is said in a sentence."""

from __future__ import annotations

import logging
import re
import warnings
from typing import Any

from vsa.errors import ExtraMissingError, InputError
from vsa.own_process import TRIES
from vsa.run.cluster_file import Request

_ADDRESS = re.compile(r"(tcp|tls|wss?)://.+|[^/]+:\d+")
_START_ONE = (
    "Start one: dask scheduler. Its address looks like tcp://10.0.0.5:8786; tls:// where it is secured."
)
_CERTIFICATES = "Name them in the environment (docs/scale.md), and see that it runs."


def connected(request: Request, gpu: bool) -> tuple[Any, Any]:
    """The cluster that was begun for this run, or None, and a client.

    Raises
    ------
    ExtraMissingError
        When Dask is not installed.
    InputError
        When nothing answers.
    """
    try:
        import dask
        import distributed
        from distributed.versions import VersionMismatchWarning
    except ImportError:
        raise ExtraMissingError("--cluster needs Dask.", "pip install 'vsa[cluster]'") from None
    for log in ("distributed", "distributed.client"):  # what goes wrong is said here, in a sentence
        logging.getLogger(log).setLevel(logging.CRITICAL)
    # a table; what matters of it is asked of each worker
    warnings.filterwarnings("ignore", category=VersionMismatchWarning)
    # a scheduler that is begun here counts as `TRIES` does
    dask.config.set({"distributed.scheduler.allowed-failures": TRIES - 1})
    cluster = request.begin(gpu)
    # a client with an address that is none would wait for itself at the end of the program
    if cluster is None and not _ADDRESS.fullmatch(request.address):
        raise InputError(f"'{request.address}' is no address of a Dask scheduler.", _START_ONE)
    secured = request.address.startswith("tls://")
    client: Any = distributed.Client
    security: Any = distributed.Security
    try:
        if secured and security().get_connection_args("client")["ssl_context"] is None:
            raise OSError("no certificates are set")
        return cluster, client(cluster or request.address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        if secured:
            raise InputError(
                f"The Dask scheduler at {request.address} can't be reached ({error}).", _CERTIFICATES
            ) from None
        raise InputError(
            f"There is no Dask scheduler at {request.address} ({type(error).__name__}).", _START_ONE
        ) from None
