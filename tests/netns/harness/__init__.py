"""The example town in network namespaces: used by tools/quickstart, tools/bench and the tests under tests/netns."""
