"""The OpenAPI v2 document in protobuf, the form in which kubectl reads it.

The messages and their numbers are those that gnostic publishes for OpenAPI v2 (`openapiv2/OpenAPIv2.proto`,
https://github.com/google/gnostic), as far as the document has something to say in them. Numbers that exclude one
another there are plain optional fields here: on the wire they are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Json = Mapping[str, Any]

# message: field=number:type. No type: a string. `*`: repeated. Lists of pairs stand for maps, as in gnostic.
_MESSAGES = """
Document: swagger=1 info=2:Info paths=8:Paths definitions=9:Schemas
Info: title=1 version=2
Paths: path=2:NamedPathItem*
NamedPathItem: name=1 value=2:PathItem
PathItem: get=2:Operation put=3:Operation post=4:Operation delete=5:Operation patch=8:Operation
    parameters=9:ParametersItem*
Operation: tags=1* produces=6* consumes=7* parameters=8:ParametersItem* responses=9:Responses
    vendor_extension=13:NamedAny*
ParametersItem: parameter=1:Parameter
Parameter: body=1:BodyParameter non_body=2:NonBodyParameter
BodyParameter: description=1 name=2 in=3 required=4:bool schema=5:Schema
NonBodyParameter: query=3:QueryParameter path=4:PathParameter
QueryParameter: required=1:bool in=2 description=3 name=4 type=6 format=7 uniqueItems=20:bool
PathParameter: required=1:bool in=2 description=3 name=4 type=5 format=6 uniqueItems=19:bool
Responses: response_code=1:NamedResponseValue*
NamedResponseValue: name=1 value=2:ResponseValue
ResponseValue: response=1:Response
Response: description=1 schema=2:SchemaItem
SchemaItem: schema=1:Schema
Schema: ref=1 format=2 description=4 default=5:Any required=19* enum=20:Any*
    additional_properties=21:AdditionalPropertiesItem type=22:Strings items=23:SchemaList properties=25:Schemas
    vendor_extension=31:NamedAny*
AdditionalPropertiesItem: schema=1:Schema
SchemaList: schema=1:Schema*
Schemas: additional_properties=1:NamedSchema*
NamedSchema: name=1 value=2:Schema
Strings: value=1*
NamedAny: name=1 value=2:Any
Any: yaml=2
"""

_FieldProto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {"": _FieldProto.TYPE_STRING, "bool": _FieldProto.TYPE_BOOL}


def encode(document: Json) -> bytes:
    """The bytes of an OpenAPI v2 document, the same ones for the same document.

    Raises:
        ValueError: the document says something that the messages here have no field for.
    """
    paths = [{"name": path, "value": _path(item)} for path, item in document["paths"].items()]
    message = _document_class()(
        swagger=document["swagger"],
        info=document["info"],
        paths={"path": paths},
        definitions=_schemas(document["definitions"]),
    )
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded


@cache
def _document_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="openapi.proto", package="openapi.v2", syntax="proto2")
    for line in _MESSAGES.replace("\n    ", " ").strip().split("\n"):
        name, _, fields = line.partition(": ")
        message = file.message_type.add(name=name)
        for entry in fields.split():
            label = _FieldProto.LABEL_REPEATED if entry.endswith("*") else _FieldProto.LABEL_OPTIONAL
            key, _, rest = entry.removesuffix("*").partition("=")
            number, _, kind = rest.partition(":")
            field = message.field.add(name=key, number=int(number), label=label)
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type, field.type_name = _FieldProto.TYPE_MESSAGE, f".openapi.v2.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("openapi.v2.Document"))


def _path(item: Json) -> Json:
    operations = {name: _operation(value) for name, value in item.items() if name != "parameters"}
    return {**operations, "parameters": [_parameter(each) for each in item["parameters"]]}


def _operation(operation: Json) -> Json:
    made, extensions = _apart(operation)
    made["parameters"] = [_parameter(each) for each in made["parameters"]]
    codes = [
        {"name": code, "value": {"response": _response(said)}} for code, said in made["responses"].items()
    ]
    return {**made, "responses": {"response_code": codes}, "vendor_extension": extensions}


def _response(response: Json) -> Json:
    if "schema" not in response:
        return response
    return {**response, "schema": {"schema": _schema(response["schema"])}}


def _parameter(parameter: Json) -> Json:
    place = parameter["in"]
    if place == "body":
        return {"parameter": {"body": {**parameter, "schema": _schema(parameter["schema"])}}}
    return {"parameter": {"non_body": {place: parameter}}}


def _schemas(schemas: Json) -> Json:
    named = [{"name": name, "value": _schema(schema)} for name, schema in schemas.items()]
    return {"additional_properties": named}


def _schema(schema: Json) -> Json:
    said, extensions = _apart(schema)
    made: dict[str, Any] = {"vendor_extension": extensions}
    for name, value in said.items():
        if name == "$ref":
            made["ref"] = value
        elif name == "type":
            made[name] = {"value": [value]}
        elif name == "items":
            made[name] = {"schema": [_schema(value)]}
        elif name == "properties":
            made[name] = _schemas(value)
        elif name == "additionalProperties":
            made["additional_properties"] = {"schema": _schema(value)}
        elif name == "default":
            made[name] = _any(value)
        elif name == "enum":
            made[name] = [_any(each) for each in value]
        else:
            made[name] = value
    return made


def _apart(said: Json) -> tuple[dict[str, Any], list[Json]]:
    """What OpenAPI itself knows, and the extensions (`x-...`)."""
    own = {name: value for name, value in said.items() if not name.startswith("x-")}
    extensions: list[Json] = [
        {"name": name, "value": _any(value)} for name, value in said.items() if name.startswith("x-")
    ]
    return own, extensions


def _any(value: Any) -> Json:
    # Any JSON is YAML too.
    return {"yaml": orjson.dumps(value).decode()}
