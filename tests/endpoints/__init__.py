"""Tests of scripts/endpoints: endpoints that come and go at the local endpoint's control plane."""
