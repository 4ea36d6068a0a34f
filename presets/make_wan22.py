"""Writes the presets that need Wan 2.2, SCAIL and Uni3C: one film graph in four sizes, and two clips.

    python3 presets/make_wan22.py

`character-i2v.longtake` and `phase-{a,b,c}.longtake` are the same graph with other settings, so that a
film begun as a test grows into production by opening the next file. Needs Python, and `longtake` on the PATH
(or named by LONGTAKE), which writes projects in the form in which it keeps them.
"""

import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
NEGATIVE = "still picture, overexposed, blurry details, subtitles, text, watermark, low quality, compression artefacts, deformed hands, extra fingers, deformed faces, cluttered background, walking backwards"

MODELS = {
    "scail": "wan21_14B_SCAIL_preview_fp8_scaled.safetensors",
    "high": "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors",
    "low": "wan2.2_t2v_low_noise_14B_fp8_scaled.safetensors",
    "i2v_high": "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
    "i2v_low": "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors",
    "5b": "wan2.2_ti2v_5B_fp16.safetensors",
    "umt5": "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
    "vae21": "wan_2.1_vae.safetensors",
    "vae22": "wan2.2_vae.safetensors",
    "clip": "clip_vision_h.safetensors",
    "uni3c": "Wan21_Uni3C_controlnet_fp16.safetensors",
}

SHOTS = [
    ("arrival", "The arrival / 到着", "A traveller in a long coat walks into a quiet stone courtyard at dusk and looks around. Warm lamps, wet paving, slow film grain.", "Nobody has been here for years. 何年も、誰も来なかった。", "dissolve", 0.5),
    ("greeting", "The greeting / 挨拶", "The traveller stops by the well, raises one arm and waves to someone at an upper window. Breath in the cold air, soft light on the face.", "“It is me.”「私だ」", "cut", 0),
    ("answer", "The answer / 返事", "The traveller walks on across the courtyard and waves once more, smiling. Behind, a door opens and light falls over the stones.", "A light. 灯がともる。", "cut", 0),
]

# Width, height, frames per shot, steps and guidance of both stages, denoise of the second.
PHASES = {
    "character-i2v": dict(size=(832, 480), frames=81, steps=(10, 10), cfg=(4.0, 4.0), denoise=0.7, shots=3,
        title="The Courtyard / 中庭",
        en="The whole chain. A picture of the character and a motion (keypoints of any video) go through SCAIL, which fixes the time of every movement; Uni3C adds the camera as a structure; Wan 2.2 then draws the picture anew over it. Change the shot list first: image, pose and words of each shot.",
        ja="全工程のプリセット。キャラクター画像と動き（キーポイント）を SCAIL に入れて動きの時間を決め、Uni3C がカメラを構造として加え、最後に Wan 2.2 が絵を描き直します。まずショット一覧の画像・ポーズ・文章を変えてください。"),
    "phase-a": dict(size=(512, 288), frames=33, steps=(6, 6), cfg=(3.5, 3.5), denoise=0.85, shots=2,
        title="The Courtyard, phase A: test / 中庭 フェーズA：テスト",
        en="Test: small, short, few steps. Is the motion right, does the camera go where it should? Two seconds a shot. Raise nothing here but the seed; when the movement is right, open phase B.",
        ja="テスト用：小さく、短く、少ないステップ。動きとカメラだけを確かめます。1ショット2秒。ここではシード以外を上げず、動きが決まったらフェーズBへ。"),
    "phase-b": dict(size=(640, 352), frames=81, steps=(10, 10), cfg=(4.5, 4.5), denoise=0.75, shots=3,
        title="The Courtyard, phase B: pre-production / 中庭 フェーズB：プリプロ",
        en="Pre-production: full length, medium size. Faces and light can be judged. Words and guidance are settled here; seeds too.",
        ja="プリプロ用：本番の長さ、中くらいの大きさ。顔と光を判断できます。文章・ガイダンス・シードはここで決めます。"),
    "phase-c": dict(size=(1280, 704), frames=81, steps=(12, 30), cfg=(5.0, 6.0), denoise=0.65, shots=3,
        title="The Courtyard, phase C: production / 中庭 フェーズC：本番",
        en="Production: full size, many steps in the last stage. Let it run over night; it goes on where it stopped. Re-render one shot with --shots.",
        ja="本番用：最終解像度、最後の段は多めのステップ。夜に回してください。止まっても続きから始まります。1ショットだけなら --shots で。"),
}

SETTINGS_EN = """**Settings.** Rapid runs: 6 to 12 steps. CFG 3.5 (loose, natural) to 6 (follows the words, may burn). Denoise of the last stage: 0.65 keeps the motion and the face of the SCAIL stage, 0.85 lets Wan 2.2 redraw nearly everything. With a distilled LoRA (LoraLoaderModelOnly before the samplers): 4 steps, scheduler `distilled`, CFG 1. Width and height in steps of 32, frames 4n + 1."""
SETTINGS_JA = """**設定。** 速い試行は 6〜12 ステップ。CFG は 3.5（自然）〜6（文章に忠実、焼けやすい）。最後の段のデノイズは 0.65 で SCAIL の動きと顔を保ち、0.85 で Wan 2.2 がほぼ描き直します。蒸留 LoRA（サンプラーの前に LoraLoaderModelOnly）を使うなら 4 ステップ、スケジューラー `distilled`、CFG 1。幅と高さは 32 の倍数、フレーム数は 4n + 1。"""


class Graph:
    """A project under construction: nodes in columns."""

    def __init__(self, title):
        self.title, self.nodes, self.rows = title, {}, {}

    def add(self, name, cls, caption, column, /, **inputs):
        row = self.rows.get(column, 0)
        self.rows[column] = row + 60 + 26 * max(3, len(inputs))
        links = {key: {"link": list(value)} if isinstance(value, tuple) else value for key, value in inputs.items()}
        self.nodes[name] = {"class": cls, "title": caption, "pos": [340 * column, row], "inputs": links}
        return lambda output=0: (name, output)

    def write(self, name, notes):
        top = max(self.rows.values()) + 60
        text = {"longtake": 1, "title": self.title, "nodes": self.nodes, "notes": {
            key: {"text": value, "bounds": [720 * at, top, 680, 220]} for at, (key, value) in enumerate(notes.items())}}
        (HERE / name).write_text(json.dumps(text, indent=2, ensure_ascii=False) + "\n")
        subprocess.run([os.environ.get("LONGTAKE", "longtake"), "convert", HERE / name, HERE / name], check=True)


def film(name, size, frames, steps, cfg, denoise, shots, title, en, ja):
    g = Graph(title)
    width, height = size
    seconds = frames / 16
    board = g.add("storyboard", "Storyboard", "Storyboard", 0, title=title, width=width, height=height, fps=16.0, shots=[
        {"id": id, "title": shot_title, "prompt": prompt, "negative": NEGATIVE, "caption": caption, "seed": 7300 + at,
         "seconds": seconds, "image": "courtyard.jpg", "pose": "walk-and-wave.json", "transition": kind,
         **({"transition_seconds": long} if long else {})}
        for at, (id, shot_title, prompt, caption, kind, long) in enumerate(SHOTS[:shots])])
    each = g.add("each", "EachShot", "Each shot", 1, storyboard=board())
    clip = g.add("clip", "CLIPLoader", "UMT5 text encoder", 0, clip_name=MODELS["umt5"], type="wan", device="default")
    vae = g.add("vae", "VAELoader", "Wan 2.1 VAE", 0, vae_name=MODELS["vae21"])
    vision = g.add("vision", "CLIPVisionLoader", "CLIP vision", 0, clip_name=MODELS["clip"])
    net = g.add("uni3c", "ControlNetLoader", "Uni3C", 0, control_net_name=MODELS["uni3c"])
    scail = g.add("scail", "UNETLoader", "SCAIL", 0, unet_name=MODELS["scail"], weight_dtype="default")
    high = g.add("high", "UNETLoader", "Wan 2.2, high noise", 0, unet_name=MODELS["high"], weight_dtype="default")
    low = g.add("low", "UNETLoader", "Wan 2.2, low noise", 0, unet_name=MODELS["low"], weight_dtype="default")
    shift = g.add("shift", "ModelSamplingSD3", "Shift", 1, shift=5.0, model=scail())

    image = g.add("image", "LoadImage", "The character", 2, image=each(5))
    depth = g.add("depth", "LoadImage", "Its depth map", 2, image="courtyard-depth.png")
    motion = g.add("motion", "LoadPoseKeypoints", "The motion", 2, file=each(6))
    stance = g.add("stance", "LoadPoseKeypoints", "The character's own stance", 2, file="reference-pose.json")
    positive = g.add("positive", "CLIPTextEncode", "The shot's words", 2, text=each(0), clip=clip())
    negative = g.add("negative", "CLIPTextEncode", "What is not to be seen", 2, text=each(1), clip=clip())

    fitted = g.add("fitted", "RetargetPose", "Motion on the character's body", 3, pose=motion(), reference_pose=stance())
    pose = g.add("pose", "DrawPose", "Pose video", 3, pose=fitted(), width=each(11), height=each(12), length=each(9), fit="contain")
    look = g.add("look", "CLIPVisionEncode", "What the character looks like", 3, clip_vision=vision(), image=image(), crop="none")
    path = g.add("path", "CameraPath", "Camera", 3, move="orbit-right", amount=0.5, length=each(9))
    guide = g.add("guide", "PointCloudGuide", "What the camera would see", 3, image=image(), camera_path=path(), width=each(11), height=each(12), length=each(9), near=3.5, far=24.0, radius=6.6, depth=depth())

    moved = g.add("moved", "WanSCAILToVideo", "1. SCAIL: when everything moves", 4, positive=positive(), negative=negative(), vae=vae(), width=each(11), height=each(12), length=each(9), batch_size=1, pose_video=pose(), reference_image=image(), clip_vision_output=look())
    framed = g.add("framed", "ControlNetApplyAdvanced", "2. Uni3C: how it stands in space", 5, positive=moved(0), negative=moved(1), control_net=net(), image=guide(), strength=1.0, start_percent=0.0, end_percent=0.6, vae=vae())
    rough = g.add("rough", "KSampler", "Motion, drawn roughly", 6, seed=each(7), steps=steps[0], cfg=cfg[0], sampler_name="wan_unipc", scheduler="wan_unipc", denoise=1.0, model=shift(), positive=framed(0), negative=framed(1), latent_image=moved(2))
    drawn = g.add("drawn", "WanExpertSampler", "3. Wan 2.2 draws", 7, high_model=high(), low_model=low(), seed=each(7), steps=steps[1], cfg_high=cfg[1], cfg_low=cfg[1] - 1.0 if cfg[1] > 4.5 else cfg[1], boundary=0.875, shift=5.0, sampler_name="wan_unipc", scheduler="wan_unipc", positive=positive(), negative=negative(), latent_image=rough(), denoise=denoise)
    decode = g.add("decode", "VAEDecode", "Frames", 8, samples=drawn(), vae=vae())
    whole = g.add("film", "CollectFilm", "The film", 9, storyboard=board(), clip=decode())
    video = g.add("video", "CreateVideo", "16 frames per second", 10, images=whole(0), fps=whole(1))
    g.add("save", "SaveVideo", "Save the film", 11, video=video(), filename_prefix=f"video/{name}", format="auto", codec="auto")
    order_en = "**Order.** SCAIL fixes when things move, Uni3C where they stand, Wan draws them. The other way round the camera would be drawn first and the motion would fight it; Longtake says so and stops."
    order_ja = "**順序。** SCAIL が「いつ動くか」、Uni3C が「どこに立つか」を決め、Wan が描きます。逆にするとカメラが先に決まり動きと衝突するため、Longtake は理由を告げて止めます。"
    g.write(f"{name}.longtake", {"about": f"{en}\n\n{SETTINGS_EN}\n\n{order_en}", "about-ja": f"{ja}\n\n{SETTINGS_JA}\n\n{order_ja}"})


def prompt(name, nodes):
    text = {key: {"class_type": cls, "inputs": inputs, "_meta": {"title": title}} for key, (cls, title, inputs) in nodes.items()}
    (HERE / name).write_text(json.dumps(text, indent=2, ensure_ascii=False) + "\n")


def clips():
    words = "A traveller in a long coat stands in a stone courtyard at dusk. The lamps come on one by one and the camera moves slowly closer. Warm light, wet paving, film grain."
    text = lambda positive: {"text": words if positive else NEGATIVE, "clip": ["2", 0]}
    common = {
        "2": ("CLIPLoader", "UMT5 text encoder", {"clip_name": MODELS["umt5"], "type": "wan", "device": "default"}),
        "4": ("CLIPTextEncode", "Positive / 見せたいもの", text(True)),
        "5": ("CLIPTextEncode", "Negative / 見せたくないもの", text(False)),
        "6": ("LoadImage", "First frame / 最初の絵", {"image": "courtyard.jpg"}),
    }
    prompt("wan22-i2v-experts.json", {
        "1": ("UNETLoader", "Wan 2.2 image to video, high noise", {"unet_name": MODELS["i2v_high"], "weight_dtype": "default"}),
        "7": ("UNETLoader", "Wan 2.2 image to video, low noise", {"unet_name": MODELS["i2v_low"], "weight_dtype": "default"}),
        "3": ("VAELoader", "Wan 2.1 VAE (Wan 2.2 14B uses it too)", {"vae_name": MODELS["vae21"]}),
        **common,
        "8": ("WanImageToVideo", "Five seconds, 832×480 / 5秒", {"positive": ["4", 0], "negative": ["5", 0], "vae": ["3", 0], "width": 832, "height": 480, "length": 81, "batch_size": 1, "start_image": ["6", 0]}),
        "9": ("WanExpertSampler", "Steps 20 (rapid: 8–12), CFG 3.5–6 / ステップ20（速く：8〜12）、CFG 3.5〜6", {"high_model": ["1", 0], "low_model": ["7", 0], "seed": 20260521, "steps": 20, "cfg_high": 3.5, "cfg_low": 3.5, "boundary": 0.9, "shift": 5.0, "sampler_name": "wan_unipc", "scheduler": "wan_unipc", "positive": ["8", 0], "negative": ["8", 1], "latent_image": ["8", 2], "denoise": 1.0}),
        "10": ("VAEDecode", "Frames / フレーム", {"samples": ["9", 0], "vae": ["3", 0]}),
        "11": ("CreateVideo", "16 frames per second", {"images": ["10", 0], "fps": 16.0}),
        "12": ("SaveVideo", "Save the clip / 保存", {"video": ["11", 0], "filename_prefix": "video/wan22-i2v", "format": "auto", "codec": "auto"}),
    })
    prompt("wan22-ti2v-5b.json", {
        "1": ("UNETLoader", "Wan 2.2 text and image to video, 5B", {"unet_name": MODELS["5b"], "weight_dtype": "default"}),
        "3": ("VAELoader", "Wan 2.2 VAE (48 channels)", {"vae_name": MODELS["vae22"]}),
        **common,
        "7": ("ModelSamplingSD3", "Shift / シフト", {"shift": 5.0, "model": ["1", 0]}),
        "8": ("Wan22ImageToVideoLatent", "Five seconds, 1280×704, 24 fps / 5秒", {"vae": ["3", 0], "width": 1280, "height": 704, "length": 121, "batch_size": 1, "start_image": ["6", 0]}),
        "9": ("KSampler", "Steps 30 (rapid: 12), CFG 5 / ステップ30（速く：12）、CFG 5", {"seed": 20260522, "steps": 30, "cfg": 5.0, "sampler_name": "wan_unipc", "scheduler": "wan_unipc", "denoise": 1.0, "model": ["7", 0], "positive": ["4", 0], "negative": ["5", 0], "latent_image": ["8", 0]}),
        "10": ("VAEDecode", "Frames / フレーム", {"samples": ["9", 0], "vae": ["3", 0]}),
        "11": ("CreateVideo", "24 frames per second", {"images": ["10", 0], "fps": 24.0}),
        "12": ("SaveVideo", "Save the clip / 保存", {"video": ["11", 0], "filename_prefix": "video/wan22-5b", "format": "auto", "codec": "auto"}),
    })


if __name__ == "__main__":
    for name, settings in PHASES.items():
        film(name, **settings)
    clips()
