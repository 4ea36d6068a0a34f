"""Draws presets/pictures/*.png, the gallery's pictures.

Frames of what each preset makes where that needs no checkpoint, else what guides it: the scene, the pose, the
camera's view. Usage, from the top folder, with Pillow, after `longtake render` of the two animatics:

    python presets/make_pictures.py ANIMATIC_FRAME TEN_MINUTES_FRAME
"""
import sys
from PIL import Image

SIZE = (480, 270)


def fit(picture, size=SIZE):
    """Cuts the middle of a picture out in the shape of `size`."""
    picture = picture.convert("RGB")
    scale = max(size[0] / picture.width, size[1] / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
    x, y = (picture.width - size[0]) // 2, (picture.height - size[1]) // 2
    return picture.crop((x, y, x + size[0], y + size[1]))


def save(picture, name):
    picture.quantize(200, dither=Image.FLOYDSTEINBERG).save(f"presets/pictures/{name}.png", optimize=True)


guides = Image.open("presets/guides.jpg")
scene = Image.open("presets/input/courtyard.jpg")
pose = guides.crop((0, 546, 239, 683))
views = [guides.crop((x, 546, x + 238, 683)) for x in (241, 482, 722)]
save(fit(Image.open(sys.argv[1])), "animatic")
save(fit(Image.open(sys.argv[2])), "animatic-10min")
for name in ("wan22-i2v-experts", "wan22-ti2v-5b"):
    save(fit(scene), name)
both = Image.new("RGB", SIZE)
both.paste(fit(scene), (0, 0))
both.paste(fit(pose, (150, 270)), (0, 0))
save(both, "character-i2v")
for name, view in zip(("phase-a", "phase-b", "phase-c"), views):
    save(fit(view), name)
