"""Two-layer random relatives of the larger students: Phi with a byte-level tokenizer, multimodal Gemma 3."""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
    SiglipVisionConfig,
)

END = "<|endoftext|>"


def train_byte_level_tokenizer(texts):
    """As Phi-2's: one token for beginning, end and unknown, and none for padding."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[END],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=END, eos_token=END, unk_token=END)


def write_phi(folder, texts, spare_rows=5, dtype=torch.float32, seed=0):
    """A model folder; ``spare_rows`` of the embedding belong to no token, as in Phi-2 (51,200 rows, 50,295 tokens)."""
    torch.manual_seed(seed)
    tokenizer = train_byte_level_tokenizer(texts)
    config = PhiConfig(
        vocab_size=len(tokenizer) + spare_rows,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        partial_rotary_factor=0.4,
        resid_pdrop=0.1,
        initializer_range=0.2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    PhiForCausalLM(config).to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_multimodal_gemma(folder, text_model, tokenizer):
    """``text_model`` inside a Gemma 3 with a vision tower, saved as the 4B and larger checkpoints are."""
    vision = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=1, image_size=28, patch_size=14
    )
    whole = Gemma3ForConditionalGeneration(
        Gemma3Config(text_config=text_model.config, vision_config=vision, mm_tokens_per_image=4, image_token_index=5)
    )
    whole.model.language_model.load_state_dict(text_model.model.state_dict())
    whole.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return whole
