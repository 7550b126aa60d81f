"""Data: readers of sentences and word vectors, encoding schemes, vocabularies and batches."""

from amigrad.data.batching import Batches
from amigrad.data.conll import read_columns
from amigrad.data.conllu import read_conllu
from amigrad.data.encoding import (
    EncodingError,
    Scheme,
    Span,
    convert,
    detect,
    encode,
    is_chunk_tag,
    spans,
    tolerant_spans,
)
from amigrad.data.errors import DataError
from amigrad.data.lines import Source
from amigrad.data.packed import PackedVocabulary
from amigrad.data.propositions import (
    Proposition,
    PropositionColumns,
    PropositionSentence,
    format_propositions,
    read_propositions,
)
from amigrad.data.sentence import Sentence
from amigrad.data.slashed import read_slashed
from amigrad.data.text import TextSentence, Token, Tokenizer, read_text, read_tokens, split_sentences, tokenize
from amigrad.data.tokenizers import TOKENIZERS, english_tokenizer
from amigrad.data.vectors import WordVectors, read_vectors, write_vectors
from amigrad.data.vocabulary import Vocabulary, lower_case, zero_digits

__all__ = [
    "TOKENIZERS",
    "Batches",
    "DataError",
    "EncodingError",
    "PackedVocabulary",
    "Proposition",
    "PropositionColumns",
    "PropositionSentence",
    "Scheme",
    "Sentence",
    "Source",
    "Span",
    "TextSentence",
    "Token",
    "Tokenizer",
    "Vocabulary",
    "WordVectors",
    "convert",
    "detect",
    "encode",
    "english_tokenizer",
    "format_propositions",
    "is_chunk_tag",
    "lower_case",
    "read_columns",
    "read_conllu",
    "read_propositions",
    "read_slashed",
    "read_text",
    "read_tokens",
    "read_vectors",
    "spans",
    "split_sentences",
    "tokenize",
    "tolerant_spans",
    "write_vectors",
    "zero_digits",
]
