#!/usr/bin/env python3
"""Writes this folder: small files of every kind that Longtake reads a graph from.

Needs nothing but Python. The shapes are those of ComfyUI's editor (0.4 and 1), of its image and
video savers, and of ffmpeg's and GStreamer's muxers; the graphs are our own.

    python3 tests/data/corpus/make.py
"""

import base64
import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent
PRESETS = HERE.parents[2] / "presets"


def put(path, data):
    path = HERE / path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def text(value):
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


# --- workflows ---------------------------------------------------------------------------------


def node(id, type, pos, inputs=(), outputs=(), values=None, **more):
    """A node; inputs are (name, type, link) or (name, type, link, widget)."""
    slots = []
    for name, kind, link, *widget in inputs:
        slot = {"name": name, "type": kind, "link": link}
        if widget:
            slot["widget"] = {"name": widget[0]}
        slots.append(slot)
    made = {
        "id": id,
        "type": type,
        "pos": list(pos),
        "size": [270, 120],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": slots,
        "outputs": [{"name": n, "type": k, "links": l} for n, k, l in outputs],
        "properties": {"Node name for S&R": type},
    }
    if values is not None:
        made["widgets_values"] = values
    return made | more


def flat():
    """0.4: lists of links, a note, a primitive, old and new reroutes, every mode, unknown nodes."""
    nodes = [
        node(1, "UNETLoader", (0, 0), outputs=[("MODEL", "MODEL", [1])],
             values=["wan2.2_ti2v_5B_fp16.safetensors", "default"],
             properties={"models": [{"name": "wan2.2_ti2v_5B_fp16.safetensors", "url": "https://example.org/a", "directory": "diffusion_models"}]}),
        node(2, "CLIPLoader", (0, 150), outputs=[("CLIP", "CLIP", [2, 3])],
             values=["umt5_xxl_fp8_e4m3fn_scaled.safetensors", "wan", "default"]),
        node(3, "VAELoader", (0, 300), outputs=[("VAE", "VAE", [4, 5])], values=["wan2.2_vae.safetensors"]),
        node(4, "CLIPTextEncode", (320, 150), [("clip", "CLIP", 2)], [("CONDITIONING", "CONDITIONING", [6])],
             ["雨の夜、路地を歩く猫"], title="Positive", color="#232", bgcolor="#353"),
        node(5, "CLIPTextEncode", (320, 300), [("clip", "CLIP", 3)], [("CONDITIONING", "CONDITIONING", [7])],
             ["blurry"], title="Negative", flags={"collapsed": True}, color="#332922"),
        node(6, "ModelSamplingSD3", (320, 0), [("model", "MODEL", 1)], [("MODEL", "MODEL", [8])], [8.0]),
        node(7, "LoraLoaderModelOnly", (640, 0), [("model", "MODEL", 8)], [("MODEL", "MODEL", [9])],
             ["speed.safetensors", 1.0], mode=4),
        node(8, "Wan22ImageToVideoLatent", (640, 300), [("vae", "VAE", 4), ("start_image", "IMAGE", 15), ("width", "INT", 16, "width")],
             [("LATENT", "LATENT", [10])], [832, 480, 49, 1]),
        node(9, "PrimitiveNode", (320, 450), outputs=[("INT", "INT", [11])], values=[20261121, "randomize"], title="Seed"),
        node(10, "KSampler", (960, 100),
             [("model", "MODEL", 9), ("positive", "CONDITIONING", 6), ("negative", "CONDITIONING", 7),
              ("latent_image", "LATENT", 10), ("seed", "INT", 11, "seed")],
             [("LATENT", "LATENT", [12])], [1, "increment", 20, 5.0, "uni_pc", "simple", 1]),
        node(11, "VAEDecode", (1280, 100), [("samples", "LATENT", 12), ("vae", "VAE", 17)], [("IMAGE", "IMAGE", [13])]),
        node(12, "CreateVideo", (1280, 250), [("images", "IMAGE", 13), ("audio", "AUDIO", None)], [("VIDEO", "VIDEO", [14])], [24]),
        node(13, "SaveVideo", (1600, 250), [("video", "VIDEO", 14)], [], ["video/corpus", "auto", "auto"]),
        node(14, "LoadImage", (320, 600), outputs=[("IMAGE", "IMAGE", [15]), ("MASK", "MASK", None)],
             values=["first.png", "image"], mode=2),
        node(15, "Reroute", (960, 420), [("", "*", 5)], [("", "VAE", [17])]),
        node(16, "Width from somewhere (elsewhere)", (0, 620), [("image", "IMAGE", None)], [("width", "INT", [16]), ("height", "INT", None)],
             [{"a": [1, 2, {"b": None}]}, "x"], properties={"aux_id": "someone/nodes", "cnr_id": "nodes"}),
        node(17, "MarkdownNote", (1600, 0), values=["# Try\n- 20 steps\n- *uni_pc*"], title="How to use", color="#432"),
        node(18, "Note", (1600, 450), values=["plain"]),
    ]
    links = [
        [1, 1, 0, 6, 0, "MODEL"], [2, 2, 0, 4, 0, "CLIP"], [3, 2, 0, 5, 0, "CLIP"], [4, 3, 0, 8, 0, "VAE"],
        [5, 3, 0, 15, 0, "VAE"], [6, 4, 0, 10, 1, "CONDITIONING"], [7, 5, 0, 10, 2, "CONDITIONING"],
        [8, 6, 0, 7, 0, "MODEL"], [9, 7, 0, 10, 0, "MODEL"], [10, 8, 0, 10, 3, "LATENT"], [11, 9, 0, 10, 4, "INT"],
        [12, 10, 0, 11, 0, "LATENT"], [13, 11, 0, 12, 0, "IMAGE"], [14, 12, 0, 13, 0, "VIDEO"],
        [15, 14, 0, 8, 1, "IMAGE"], [16, 16, 0, 8, 2, "INT"], [17, 15, 0, 11, 1, "VAE"],
    ]
    return {
        "id": "00000000-0000-4000-8000-000000000001", "revision": 0, "last_node_id": 18, "last_link_id": 17,
        "nodes": nodes, "links": links,
        "groups": [{"id": 1, "title": "Models", "bounding": [-20, -80, 310, 480], "color": "#3f789e", "font_size": 24, "flags": {}}],
        "config": {}, "version": 0.4,
        "extra": {
            "ds": {"scale": 0.8, "offset": [10, 20]},
            "reroutes": [{"id": 1, "pos": [250, 30], "linkIds": [8, 9]}, {"id": 2, "parentId": 1, "pos": [600, 30], "linkIds": [8]},
                         {"id": 3, "pos": [1, 1], "linkIds": []}],
            "linkExtensions": [{"id": 8, "parentId": 2}],
        },
    }


def version1():
    """1: links as objects, reroutes at the top, named values, old forms of points."""
    def link(id, origin, slot, target, at, kind, **more):
        return {"id": id, "origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": at, "type": kind} | more
    nodes = [
        node(1, "EmptyImage", (0, 0), outputs=[("IMAGE", "IMAGE", [1, 2])], values=[64, 48, 3, 255],
             widgets_values_named={"width": 64, "height": 48, "batch_size": 3, "color": 255}),
        node("two", "ImageScale", (300, 0), [("image", "IMAGE", 1)], [("IMAGE", "IMAGE", [3])],
             {"upscale_method": "bilinear", "width": 32, "height": 32, "crop": "disabled"}),
        node(3, "SaveImage", (600, 0), [("images", "IMAGE", 3)], [], ["corpus/one"]),
        node(4, "SaveImage", (600, 200), [("images", "IMAGE", 2)], [], ["corpus/two"]),
    ]
    nodes[2]["pos"] = {"0": 600, "1": 0.5}
    nodes[2]["size"] = {"0": 210, "1": 58}
    return {
        "version": 1, "config": {}, "nodes": nodes, "groups": [],
        "state": {"lastGroupId": 0, "lastNodeId": 4, "lastLinkId": 3, "lastRerouteId": 2},
        "links": [link(1, 1, 0, "two", 0, "IMAGE", parentId=2), link(2, 1, 0, 4, 0, "IMAGE", parentId=1), link(3, "two", 0, 3, 0, "IMAGE")],
        "reroutes": [{"id": 1, "pos": [150, 100], "linkIds": [1, 2]}, {"id": 2, "parentId": 1, "pos": {"0": 200, "1": 50}, "linkIds": [1]}],
        "models": [{"name": "a", "url": "https://example.org/a", "directory": "vae"}],
    }


def subgraphs():
    """Definitions within definitions, two instances, promoted widgets in every form."""
    def link(id, origin, slot, target, at, kind):
        return {"id": id, "origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": at, "type": kind}
    def port(n, name, kind, links, **more):
        return {"id": f"00000000-0000-4000-8000-0000000001{n:02}", "name": name, "type": kind, "linkIds": links} | more
    inner, outer = "00000000-0000-4000-8000-0000000000aa", "00000000-0000-4000-8000-0000000000bb"
    border = {"inputNode": {"id": -10, "bounding": [-200, 0, 120, 80]}, "outputNode": {"id": -20, "bounding": [600, 0, 120, 60]}}
    scale = {
        "id": inner, "version": 1, "revision": 0, "name": "Half", "config": {}, "widgets": [], "groups": [], "extra": {},
        "state": {"lastGroupId": 0, "lastNodeId": 1, "lastLinkId": 4, "lastRerouteId": 0}, **border,
        "inputs": [port(1, "image", "IMAGE", [1]), port(2, "width", "INT", [2], label="new width"), port(3, "crop", "COMBO", [4])],
        "outputs": [port(4, "IMAGE", "IMAGE", [3], label="scaled")],
        "nodes": [node(1, "ImageScale", (100, 0),
                       [("image", "IMAGE", 1), ("upscale_method", "COMBO", None, "upscale_method"), ("width", "INT", 2, "width"),
                        ("height", "INT", None, "height"), ("crop", "COMBO", 4, "crop")],
                       [("IMAGE", "IMAGE", [3])], ["bicubic", 16, 16, "center"])],
        "links": [link(1, -10, 0, 1, 0, "IMAGE"), link(2, -10, 1, 1, 2, "INT"), link(4, -10, 2, 1, 4, "COMBO"), link(3, 1, 0, -20, 0, "IMAGE")],
    }
    twice = {
        "id": outer, "version": 1, "revision": 0, "name": "Twice 二度", "config": {}, "widgets": [], "groups": [], "extra": {},
        "state": {"lastGroupId": 0, "lastNodeId": 2, "lastLinkId": 5, "lastRerouteId": 0}, **border,
        "inputs": [port(5, "image", "IMAGE", [1]), port(6, "width", "INT", [2]), port(7, "crop", "COMBO", [5])],
        "outputs": [port(8, "IMAGE", "IMAGE", [4]), port(9, "before", "IMAGE", [3])],
        "nodes": [
            node(1, inner, (0, 0), [("image", "IMAGE", 1), ("crop", "COMBO", 5, "crop")], [("scaled", "IMAGE", [3, 6])], [20, "center"]),
            node(2, inner, (300, 0), [("image", "IMAGE", 3), ("width", "INT", 2, "width")], [("scaled", "IMAGE", [4])], []),
        ],
        "links": [link(1, -10, 0, 1, 0, "IMAGE"), link(2, -10, 1, 2, 1, "INT"), link(5, -10, 2, 1, 1, "COMBO"),
                  link(3, 1, 0, 2, 0, "IMAGE"), link(6, 1, 0, -20, 1, "IMAGE"), link(4, 2, 0, -20, 0, "IMAGE")],
        "definitions": {"subgraphs": [scale]},
    }
    return {
        "id": "00000000-0000-4000-8000-000000000003", "revision": 0, "last_node_id": 5, "last_link_id": 4, "version": 0.4, "config": {},
        "nodes": [
            node(1, "EmptyImage", (0, 0), outputs=[("IMAGE", "IMAGE", [1])], values=[64, 48, 1, 0]),
            node(2, outer, (300, 0), [("image", "IMAGE", 1), ("width", "INT", None, "width")], [("IMAGE", "IMAGE", [2]), ("before", "IMAGE", [3])],
                 [24, "disabled"], title="Once"),
            node(3, outer, (300, 200), [("image", "IMAGE", 2)], [("IMAGE", "IMAGE", [4]), ("before", "IMAGE", None)], [],
                 properties={"proxyWidgets": [["2", "width"], ["1", "crop"]]}),
            node(4, "SaveImage", (600, 0), [("images", "IMAGE", 3)], [], ["corpus/before"]),
            node(5, "SaveImage", (600, 200), [("images", "IMAGE", 4)], [], ["corpus/after"]),
        ],
        "links": [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"], [3, 2, 1, 4, 0, "IMAGE"], [4, 3, 0, 5, 0, "IMAGE"]],
        "groups": [], "definitions": {"subgraphs": [twice]}, "extra": {},
    }


def odd():
    """Everything that is not as it should be, at once."""
    ring = "00000000-0000-4000-8000-0000000000cc"
    return {
        "version": 0.4, "last_node_id": 9, "last_link_id": 9,
        "nodes": [
            node(1, "SaveImage", (0, 0), [("images", "IMAGE", 1), ("images", "IMAGE", 2), ("nothing", "X", 99)], [], ["a", "b", "c"], mode=3),
            node(1, "EmptyImage", (1e39, 0), [], [("IMAGE", "IMAGE", [1])], [None, 5]),
            {"id": None, "type": 7, "inputs": {}, "outputs": "?", "widgets_values": "?", "flags": [], "properties": None},
            "no node", None,
            node(2, "PrimitiveNode", (0, 0), [], [("COMBO", "COMBO", [3])], ["euler", "fixed"]),
            node(3, "KSampler", (0, 0), [("sampler_name", ["euler", "heun"], 3, "sampler_name"), ("seed", "INT", 4, "seed")], [], [18446744073709551615, "fixed"]),
            node(4, "PrimitiveNode", (0, 0), [], []),
            node(5, ring, (0, 0), [("x", "INT", None, "x")], []),
            node(6, "Note", (0, 0), [], [("x", "X", [4])]),
        ],
        "links": [None, [1, 1, 0, 1, 0, "IMAGE"], [2, 77, 0, 1, 1, "IMAGE"], [3, 2, 0, 3, 0, "COMBO"], [4, 6, 0, 3, 1, -1], [5, "1"], {"id": 6}],
        "groups": [{"title": 5, "bounding": [1]}, 3],
        "extra": {"reroutes": [{"id": 1, "parentId": 2}, {"id": 2, "parentId": 1}, 5], "linkExtensions": [{"id": 1, "parentId": 1}, {}]},
        "definitions": {"subgraphs": [
            {"id": ring, "name": "Ring", "inputs": [{"name": "x", "type": "INT"}, {"name": "x"}, 5], "outputs": [],
             "nodes": [node(1, ring, (0, 0), [("x", "INT", 1, "x")], [])],
             "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "INT"},
                       {"id": 2, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 3, "type": "INT"}]},
            {"id": ring}, {"name": "no id"}, 7]},
    }


# --- carriers ----------------------------------------------------------------------------------


def png(*chunks):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    picture = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    before, behind = chunks[:1], chunks[1:]
    parts = [head, *[chunk(*it) for it in before], picture, *[chunk(*it) for it in behind], chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def webp(texts, big_endian):
    """A lossless 1 × 1 picture and its Exif."""
    order = ">" if big_endian else "<"
    entries, data = b"", b""
    start = 8 + 2 + 12 * len(texts) + 4
    for tag, value in texts:
        value = value.encode() + b"\0"
        entries += struct.pack(order + "HHII", tag, 2, len(value), start + len(data))
        data += value + b"\0" * (len(value) % 2)
    mark = b"MM\0*" if big_endian else b"II*\0"
    exif = mark + struct.pack(order + "IH", 8, len(texts)) + entries + struct.pack(order + "I", 0) + data
    exif = (b"Exif\0\0" if big_endian else b"") + exif
    def chunk(kind, data):
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    picture = bytes.fromhex("2f00000000073010118888880808")
    body = b"WEBP" + chunk(b"VP8X", b"\x08\0\0\0" + b"\0" * 6) + chunk(b"VP8L", picture) + chunk(b"EXIF", exif)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(kind, *parts):
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def data_box(value):
    return box(b"data", struct.pack(">II", 1, 0), value.encode())


def mp4(meta, long_mdat=False):
    head = box(b"ftyp", b"isomiso2", b"mp41")
    mdat = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 20) + b"\0" * 4 if long_mdat else box(b"mdat", b"\0" * 4)
    return head + mdat + box(b"moov", box(b"mvhd", b"\0" * 100), meta)


def handler(kind):
    return box(b"hdlr", b"\0" * 8, kind, b"\0" * 13)


def itunes(*items):
    return box(b"udta", box(b"meta", b"\0" * 4, handler(b"mdir"), box(b"ilst", *items)))


def keyed(tags):
    names = [box(b"mdta", name.encode()) for name in tags]
    keys = box(b"keys", struct.pack(">II", 0, len(tags)), *names)
    items = [box(struct.pack(">I", at + 1), data_box(value)) for at, value in enumerate(tags.values())]
    return box(b"meta", handler(b"mdta"), keys, box(b"ilst", *items))


def element(id, *parts, unknown=False):
    data = b"".join(parts)
    size = b"\x01" + b"\xff" * 7 if unknown else struct.pack(">Q", len(data) | 1 << 56)
    return bytes.fromhex(id) + size + data


def mkv(tags, live=False):
    simple = [element("67C8", element("45A3", name.encode()), element("4487", value.encode())) for name, value in tags]
    tag = element("1254C367", element("7373", element("63C0"), *simple))
    cluster = element("1F43B675", element("E7", b"\0"), element("A3", b"\x81\0\0\0abc"), unknown=live)
    head = element("1A45DFA3", element("4282", b"webm" if live else b"matroska"))
    return head + element("18538067", cluster, tag, unknown=live)


def main():
    drafts = {"flat": flat(), "version1": version1(), "subgraphs": subgraphs(), "odd": odd()}
    for name, workflow in drafts.items():
        put(f"workflow/{name}.json", text(workflow))
    put("workflow/empty.json", '{"nodes": [], "links": [], "version": 0.4}')

    for name in ["phase-b.longtake", "animatic.longtake"]:
        put(f"project/{name}", (PRESETS / name).read_bytes())
    prompt = (PRESETS / "wan22-ti2v-5b.json").read_text()
    put("prompt/wan22-ti2v-5b.json", prompt)
    put("prompt/wan21-t2v.json", (PRESETS / "wan21-t2v.json").read_bytes())

    workflow = json.dumps(drafts["version1"])
    small = json.dumps(json.loads(prompt))
    # As ComfyUI's SaveImage writes them, and in the two compressed forms.
    put("png/comfyui.png", png((b"tEXt", b"prompt\0" + small.encode()), (b"tEXt", b"workflow\0" + workflow.encode())))
    packed = zlib.compress(json.dumps(drafts["flat"]).encode())
    put("png/packed.png", png((b"zTXt", b"prompt\0\0" + zlib.compress(small.encode())), (b"iTXt", b"workflow\0\1\0\0\0" + packed)))
    # Python's NaN in what it remembers of a node; a workflow that is damaged.
    odd_prompt = small[:-1] + ', "99": {"class_type": "SaveImage", "inputs": {}, "is_changed": [NaN]}}'
    put("png/nan.png", png((b"tEXt", b"prompt\0" + odd_prompt.encode()), (b"tEXt", b"workflow\0{\"nodes\": [")))

    tags = [(0x010F, "workflow:" + workflow), (0x0110, "prompt:" + small)]
    put("webp/comfyui.webp", webp(tags, big_endian=True))
    put("webp/little.webp", webp(tags[1:], big_endian=False))

    comment = json.dumps({"prompt": json.loads(prompt)})
    ours = box(b"\xa9cmt", data_box(comment))
    put("mp4/longtake.mp4", mp4(itunes(ours)))
    put("mp4/comfyui.mp4", mp4(box(b"udta", keyed({"prompt": small, "workflow": workflow, "encoder": "Lavf"})), long_mdat=True))
    free = box(b"----", box(b"mean", b"\0" * 4, b"com.apple.iTunes"), box(b"name", b"\0" * 4, b"workflow"), data_box(workflow))
    put("mp4/freeform.mp4", mp4(itunes(free)))
    quicktime = struct.pack(">HH", len(comment), 0) + comment.encode()
    put("mp4/quicktime.mov", mp4(box(b"udta", box(b"\xa9cmt", quicktime))))

    packed = base64.urlsafe_b64encode(comment.encode()).decode().rstrip("=")
    put("mkv/longtake.mkv", mkv([("TITLE", "Rain"), ("COMMENT", packed)]))
    put("mkv/comfyui.webm", mkv([("PROMPT", small), ("WORKFLOW", workflow)], live=True))
    escaped = comment.replace("\\", "\\\\").replace('"', '\\"')
    put("mkv/escaped.mkv", mkv([("COMMENTS", escaped)]))

    header = json.dumps({"__metadata__": {"format": "pt", "prompt": small, "workflow": workflow},
                         "latent_tensor": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    put("safetensors/comfyui.latent", struct.pack("<Q", len(header)) + header + b"\0" * 4)


if __name__ == "__main__":
    main()
