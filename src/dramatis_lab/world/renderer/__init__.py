"""The rasteriser: meshes, lights, cameras and lenses in, pictures and ground truth out."""
