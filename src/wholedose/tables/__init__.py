"""Published numbers: files with a header that names their source, and the loader that checks it.

A table is ``data/<room>/<name>.csv`` (named columns) or ``data/<room>/<name>.npz`` (grids) and is
loaded by its name ``"<room>/<name>"``. A CSV opens with comment lines::

    # title: ICRP 103 tissue weighting factors
    # source: ICRP Publication 103 (2007), Table 3
    # doi: 10.1016/j.icrp.2007.10.003
    # unit: tissue_weighting_factor 1
    # licence: facts, cited

An npz holds the same five keys in a JSON string named ``header``. A table without them does not load.
"""

from wholedose.tables.loader import Table, digest, load, names

__all__ = ["Table", "digest", "load", "names"]
