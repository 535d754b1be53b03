"""Model the things of the sample shop as meshes."""
