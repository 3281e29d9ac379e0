"""Tests of Swarmledger: a folder for each part of it, whole programs in the files beside them."""
