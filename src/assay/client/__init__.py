"""A remote, OpenAI-compatible endpoint as a `assay.types.Model`: `assay.client.endpoint.load_endpoint`."""
