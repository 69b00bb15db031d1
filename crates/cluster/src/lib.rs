//! Spherical and Euclidean k-means.
