"""The documents: links, paths and sizes, keys and fields, options of commands."""
