"""A demonstration corpus: simple English from a grammar, with parts of speech, chunks and names."""

from amigrad.data.demo.corpus import DemoSentence, demo_corpus, write_demo

__all__ = ["DemoSentence", "demo_corpus", "write_demo"]
