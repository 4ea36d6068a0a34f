"""Goldens for the UMT5 encoder and its tokenizer (engine/models/tests/umt5.rs).

Trains a small SentencePiece unigram model on the text below, makes a small random UMT5 encoder,
runs transformers' UMT5EncoderModel on it, and writes to tests/data/umt5/:

  umt5-small.safetensors   weights under HF/ComfyUI names, with the tokenizer as `spiece_model`
  goldens.safetensors      `<case>.ids`, `<case>.out`: last hidden states of the unpadded ids;
                           `weighted.out`: ComfyUI's way with a prompt that has weights
  tokens.json              strings, what SentencePiece normalises them to, and its ids, end-of-sequence included

Run: /opt/ref/bin/python tests/reference/umt5.py
"""

import io
import json
import pathlib

import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import UMT5Config, UMT5EncoderModel

OUT = pathlib.Path(__file__).resolve().parents[1] / "data" / "umt5"

TEXT = """
A cat walks slowly through a quiet garden while soft rain falls on the leaves.
The camera pans from left to right and follows the old train into the mountains.
Cinematic lighting, shallow depth of field, film grain, 35mm lens, golden hour.
Two children fly a red kite above the sea; waves break over the dark rocks.
A close-up of her face: she smiles, turns away, and walks into the night.
Snow covers the small village. Smoke rises from every chimney, and a dog barks.
The robot opens the door with one hand and holds a lantern in the other hand.
A drone shot over the city at night, neon signs, wet streets, heavy traffic.
Slow motion, high quality, highly detailed, 4k, masterpiece, best quality.
worst quality, low quality, blurry, static, overexposed, ugly, deformed, still picture
猫が静かな庭をゆっくりと歩いています。雨が葉の上に降っています。
カメラは左から右へ動き、古い電車を山の中へ追いかけます。
夕暮れの海辺で、二人の子供が赤い凧を揚げている。波が岩に砕ける。
雪が小さな村を覆い、すべての煙突から煙が上がる。犬が吠える。
夜の東京、ネオンの看板、濡れた道路、たくさんの車。映画のような光。
彼女は微笑んで、振り向き、夜の中へ歩いて行く。
一只猫在安静的花园里慢慢地走，细雨落在树叶上。
镜头从左向右移动，跟随旧火车驶入群山。
色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止
最差质量，低质量，丑陋的，残缺的，多余的手指，画得不好的手部
两个孩子在海边放红色的风筝，波浪拍打着黑色的岩石。
夜晚的城市，霓虹灯，潮湿的街道，电影般的光线。
"""

# Rows of goldens: what a tokenizer gets wrong easily.
TRICKY = [
    "",
    " ",
    "   leading, double  spaces and trailing   ",
    "A cat walks slowly.",
    "tabs\tand\nnew\r\nlines\u3000and wide spaces\u00a0here",
    "猫が静かな庭をゆっくりと歩いています。",
    "一只猫在安静的花园里慢慢地走，细雨落在树叶上。",
    "ﾈｵﾝの看板、ｶﾞﾗｽ",  # half-width katakana, voiced marks
    "か\u3099ラスの\u30cf\u309a",  # combining dakuten and handakuten
    "ＡＢＣ１２３ｆｕｌｌ　ｗｉｄｔｈ！",
    "emoji 🎬🎥 film 👨‍👩‍👧‍👦 family 🇯🇵 flag",
    "unknown: Ω≈ç√∫ Ж ठ ᚠ",
    "e\u0301 vs é, ﬁne ligature, ½, ², ㌔, ™",
    "a\u200bzero\u200dwidth\ufeffmarks\u00adsoft",
    "▁already▁escaped▁",
    "<extra_id_0> and <extra_id_1>x<extra_id_0>",
    "</s> <pad> <unk> are not special in text",
    "(red:1.2) [kite] {a|b} \\(escaped\\)",
    "worst quality, low quality, blurry, 最差质量，低质量，丑陋的",
    "Cinematic lighting, 35mm — “quotes” … ‘single’ 4k",
    "\x00control\x01chars\x7f",
    "ｶ\uff9eｷ\uff9eが混ざる e\u0301\u0323 ạ\u0301",
    "𝕄𝕒𝕥𝕙 𝟜𝟚 ①② Ⅳ ㈱",
    "한국어도 조금 \u1112\u1161\u11ab",
]

PROMPTS = {
    "english": "The camera follows a cat through the snow at night, cinematic lighting.",
    "japanese": "夜の海辺で猫がカメラを追いかける。",
    "chinese": "镜头跟随一只黑色的猫，细节模糊不清。",
    "empty": "",
    # Past the position tables' last bucket (128 tokens) in both directions.
    "long": " ".join(line for line in TEXT.split("\n")[1:9]),
}

# (text, weight) runs, each tokenised by itself, as ComfyUI's SDTokenizer does.
WEIGHTED = [("A cat and a ", 1.0), ("red kite", 1.3), (" in the ", 1.0), ("rain", 0.5)]
WEIGHTED_FIRST = [("snow", 1.6), (" in the village", 1.0)]


def train_tokenizer():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([l for l in TEXT.strip().split("\n")] * 4),
        model_writer=model, vocab_size=336, model_type="unigram", character_coverage=1.0,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc",
        user_defined_symbols=["<extra_id_0>", "<extra_id_1>"], num_threads=1, minloglevel=2,
    )
    return model.getvalue()


def make_model(vocab):
    torch.manual_seed(20)
    config = UMT5Config(vocab_size=vocab, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4,
                        feed_forward_proj="gated-gelu", dropout_rate=0.0)
    config._attn_implementation = "eager"
    model = UMT5EncoderModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("layer_norm.weight"):
                p.uniform_(0.5, 1.5)
            elif "relative_attention_bias" in name:
                p.normal_(0, 1.0)
            elif "shared" in name or "embed_tokens" in name:
                p.normal_(0, 1.0)
            else:  # large enough that attention is far from uniform
                p.normal_(0, 1.5 * p.shape[1] ** -0.5)
    return model


def comfy_encode(model, sp, runs):
    """ComfyUI's conditioning for weighted runs: padded to 512, masked, zeroed, interpolated from the empty prompt."""
    pairs = [(i, w) for text, w in runs for i in sp.encode(text)] + [(1, 1.0)]
    pairs += [(0, 1.0)] * (512 - len(pairs))
    batch = torch.tensor([[i for i, _ in pairs], [1] + [0] * 511])
    mask = torch.zeros_like(batch)
    for row in range(2):
        mask[row, : batch[row].tolist().index(1) + 1] = 1
    z = model(input_ids=batch, attention_mask=mask).last_hidden_state * mask.unsqueeze(-1)
    for j, (_, w) in enumerate(pairs):
        if w != 1.0:
            z[0, j] = (z[0, j] - z[1, j]) * w + z[1, j]
    n = int(mask[0].sum())
    assert z[0, n:].abs().max() == 0
    return z[0, :n]


@torch.no_grad()
def main():
    OUT.mkdir(parents=True, exist_ok=True)
    proto = train_tokenizer()
    sp = sentencepiece.SentencePieceProcessor(model_proto=proto)
    model = make_model(sp.get_piece_size() + 8)  # as the real one: more rows than pieces
    weights = {k: v.clone().contiguous() for k, v in model.state_dict().items() if k != "encoder.embed_tokens.weight"}
    weights["spiece_model"] = torch.tensor(list(proto), dtype=torch.uint8)
    save_file(weights, OUT / "umt5-small.safetensors")
    goldens = {}
    for name, text in PROMPTS.items():
        ids = sp.encode(text) + [1]
        out = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        goldens[f"{name}.ids"] = torch.tensor(ids, dtype=torch.int32)
        goldens[f"{name}.out"] = out.contiguous()
        print(name, len(ids), float(out.abs().max()))
    goldens["weighted.out"] = comfy_encode(model, sp, WEIGHTED).contiguous()
    goldens["weighted_first.out"] = comfy_encode(model, sp, WEIGHTED_FIRST).contiguous()
    save_file(goldens, OUT / "goldens.safetensors", metadata={"prompts": json.dumps(PROMPTS, ensure_ascii=False)})
    rows = [{"text": text, "normalized": "".join(sp.encode(text, out_type=str)), "ids": sp.encode(text) + [1]} for text in TRICKY + list(PROMPTS.values())]
    lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
    (OUT / "tokens.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
