"""The tokenizer of multilingual-e5-small as a model of sentencepiece. Imports protobuf, and makes 250,000 objects."""

from __future__ import annotations

from sentencepiece import sentencepiece_model_pb2 as schema

from indexer.encoders.graphs.e5_file import BEGIN, END, PAD, UNKNOWN, read_pieces

_PIECE = schema.ModelProto.SentencePiece
_KINDS = {BEGIN: _PIECE.CONTROL, PAD: _PIECE.CONTROL, END: _PIECE.CONTROL, UNKNOWN: _PIECE.UNKNOWN}


def build_pieces() -> bytes:
    """Return the serialised model of the package's pieces and scores. Raises EncoderUnavailable.

    It turns spaces into marks, and normalises nothing else.
    """
    model = schema.ModelProto()
    for number, (text, score) in enumerate(read_pieces()):
        model.pieces.add(piece=text, score=score, type=_KINDS.get(number, _PIECE.NORMAL))
    trainer = model.trainer_spec
    trainer.model_type = schema.TrainerSpec.UNIGRAM
    trainer.bos_id, trainer.pad_id, trainer.eos_id, trainer.unk_id = BEGIN, PAD, END, UNKNOWN
    trainer.vocab_size = len(model.pieces)
    model.normalizer_spec.name = "identity"
    data: bytes = model.SerializeToString(deterministic=True)
    return data
