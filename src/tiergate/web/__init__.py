"""The HTTP shell: bytes in, bytes out. What happens in between is the pipeline's business."""
