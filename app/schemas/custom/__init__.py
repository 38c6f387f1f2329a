"""Custom resources: what a CustomResourceDefinition says, made into functions that its objects go through."""
