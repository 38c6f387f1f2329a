"""Request bodies in protobuf, as kubectl and Helm send them; and the OpenAPI v2 document as kubectl reads it.

`openapi` makes the document. Of bodies, `decode` is the way in: `numbers_*` hold the field numbers, `table` reads
them, `messages` makes descriptors of them and of the schemas, `values` turns a message into what JSON would have
said. Nothing here is imported, and so nothing is built or kept in memory, before the first such request comes.
"""
