"""Managed fields: who set which fields of an object, what an update takes over, what server-side apply merges,
removes and refuses. Pure. https://kubernetes.io/docs/reference/using-api/server-side-apply/

A *field set* says which fields: it is the very JSON that `fieldsV1` holds (`sets`). A *shape* says what is at a
path: something with one owner, or something whose parts may have several (`shape`).
"""
